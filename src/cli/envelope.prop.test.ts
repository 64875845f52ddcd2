import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { float64, json, msgpack, uuid } from '../serdes/index.ts';
import { CODEC_NAMES, codecOf } from './codecs.ts';
import { envelope, parseEnvelope, type RawRecord } from './envelope.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.string({ unit: 'grapheme' }).map((text) => new TextEncoder().encode(text)),
  fc.constant(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)),
);
const nullable = fc.option(bytes);
const records: fc.Arbitrary<RawRecord> = fc.record({
  topic: fc.constantFrom('orders', 'a.b_c-d'),
  partition: fc.nat(),
  offset: fc.maxSafeNat(),
  timestamp: fc.maxSafeNat(),
  headers: fc.array(fc.tuple(fc.string({ unit: 'binary' }), nullable), { maxLength: 3 }),
  key: nullable,
  value: nullable,
});

describe('an envelope', () => {
  it('is one line, from which the same bytes come', () => {
    fc.assert(
      fc.property(records, ({ offset, topic, ...record }) => {
        const line = envelope({ ...record, offset, topic }, undefined, undefined);
        expect(line).not.toContain('\n');
        expect(parseEnvelope(line, undefined, undefined)).toEqual(record);
      }),
    );
  });

  it('gives the same bytes where a serde cannot read them', () => {
    const json = codecOf('--value', 'int32');
    fc.assert(
      fc.property(records, ({ offset, topic, ...record }) => {
        const line = envelope({ ...record, offset, topic }, undefined, json);
        expect(parseEnvelope(line, undefined, json)).toEqual(record);
      }),
    );
  });

  /** What JSON says in many ways, and what it cannot say. */
  const values = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
    withNullPrototype: true,
    withSparseArray: true,
  });
  const written = fc.oneof(
    bytes,
    // Bytes that serdes write, as far as they take a value,
    values.map((value) => tried(() => msgpack<unknown>().serialize(value as object))),
    values.map((value) => tried(() => json<unknown>().serialize(value as object))),
    fc.double().map((value) => float64().serialize(value)),
    fc.uuid().map((value) => uuid().serialize(value)),
    // and those that other programs write in their own ways.
    fc.json().map((text) => encode(text.replaceAll(',', ' ,\n'))),
    fc.json().map((text) => encode(text.replaceAll(',', ', '))),
    fc.uuid().map((text) => encode(text.toUpperCase())),
    fc.bigInt().map((value) => encode(String(value))),
    fc.tuple(fc.constantFrom(4, 8), fc.uint8Array({ minLength: 8, maxLength: 8 })).map(([n, raw]) => raw.slice(0, n)),
    fc.constantFrom(
      // A signalling NaN, −0, infinities; integer keys, a float in four bytes, ints in more bytes than they need, nil.
      ...[
        [0x7f, 0xf0, 0, 0, 0, 0, 0, 1],
        [0x80, 0, 0, 0, 0, 0, 0, 0],
        [0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
        [0xff, 0xf0, 0, 0, 0, 0, 0, 0],
        [0x81, 0x01, 0x61, 0x61],
        [0xca, 0x3f, 0x80, 0, 0],
        [0xcd, 0, 7],
        [0xd3, 0, 0x20, 0, 0, 0, 0, 0, 1],
        [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        [0xc4, 1, 0xff],
        [0xc0],
      ].map((raw) => Uint8Array.from(raw)),
      ...['1.0', '1e400', '-0', '12345678901234567890', '{"a":1,"a":2}', '"\\u0061"', 'null', ' 1 ', '1\r\n'].map(
        encode,
      ),
    ),
  );

  it.each(CODEC_NAMES)('gives the same bytes with the serde %s, whatever they are', (name) => {
    const codec = codecOf('--value', name);
    fc.assert(
      fc.property(records, written, written, ({ offset, topic, ...record }, key, value) => {
        const line = envelope({ ...record, offset, topic, key, value }, codec, codec);
        expect(line).not.toMatch(/[\r\n]/);
        expect(() => JSON.parse(line) as unknown).not.toThrow();
        expect(parseEnvelope(line, codec, codec)).toEqual({ ...record, key, value });
      }),
      { numRuns: 300 },
    );
  });

  it.each(CODEC_NAMES)(
    'gives the same bytes with the serde %s after other programs have rewritten what is not decoded',
    (name) => {
      const codec = codecOf('--value', name);
      fc.assert(
        fc.property(records, written, ({ offset, topic, ...record }, value) => {
          const line = envelope({ ...record, offset, topic, value }, undefined, codec);
          const fields = JSON.parse(line) as { value: unknown; valueEncoding?: string };
          if (fields.valueEncoding !== 'base64' && fields.valueEncoding !== 'text') return;
          expect(parseEnvelope(JSON.stringify(fields), undefined, codec)).toEqual({ ...record, value });
        }),
      );
    },
  );
});

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function tried(write: () => Uint8Array): Uint8Array {
  try {
    return write();
  } catch {
    return new Uint8Array(0);
  }
}
