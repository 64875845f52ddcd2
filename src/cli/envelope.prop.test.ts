import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codecOf } from './codecs.ts';
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
});
