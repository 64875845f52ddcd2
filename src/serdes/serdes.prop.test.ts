import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { RecordError } from '../errors.ts';
import { bytes } from './bytes.ts';
import { float64 } from './float64.ts';
import { int32 } from './int32.ts';
import { int64 } from './int64.ts';
import { json } from './json.ts';
import { msgpack } from './msgpack.ts';
import { nullable } from './nullable.ts';
import type { Serde } from './serde.ts';
import { string } from './string.ts';
import { decodeUtf8, encodeUtf8, isUtf8 } from './text.ts';
import { uuid } from './uuid.ts';

const RUNS = { numRuns: 1000 };
const text = fc.string({ unit: 'binary' });

/** Reading gives back what was written, all three ways of reading agree, and so do both ways of writing. */
function roundTrip<T>(serde: Serde<T>, value: NonNullable<T>): void {
  const written = serde.serialize(value);
  expect(serde.deserialize(written)).toEqual(value);
  const padded = new Uint8Array(written.length + 6).fill(0xdd);
  padded.set(written, 3);
  if (serde.decodeRange !== undefined) {
    const read = serde.decodeRange(padded, 3, 3 + written.length);
    padded.fill(0);
    expect(read).toEqual(value);
  }
  if (serde.toText !== undefined) expect(new TextEncoder().encode(serde.toText(value))).toEqual(written);
}

const isUnsafe = (value: unknown): boolean => JSON.stringify(value)?.includes('__proto__') ?? false;
const document = fc.jsonValue({ maxDepth: 5 }).filter((value) => value !== null && !isUnsafe(value));

describe('round trips', () => {
  it('string', () =>
    fc.assert(
      fc.property(text, (value) => roundTrip(string(), value)),
      RUNS,
    ));
  it('nullable', () => fc.assert(fc.property(text, (value) => roundTrip(nullable(string()), value))));
  it('bytes', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (value) => roundTrip(bytes(), value))));
  it('uuid', () => fc.assert(fc.property(fc.uuid(), (value) => roundTrip(uuid(), value))));
  it('int32', () => fc.assert(fc.property(fc.integer(), (value) => roundTrip(int32(), value))));
  it('int64', () =>
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => roundTrip(int64(), value)),
    ));
  it('float64', () => fc.assert(fc.property(fc.double(), (value) => roundTrip(float64(), value))));
  it('json', () => {
    fc.assert(
      fc.property(document, (value) => {
        // −0 is 0 in JSON text.
        const plain: unknown = JSON.parse(JSON.stringify(value));
        if (plain !== null && plain !== undefined) roundTrip(json(), plain);
      }),
      RUNS,
    );
  });
  it('msgpack, with bigints, dates and binary data', () => {
    const leaf = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.double().map((n) => n + 0),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.float64Array(),
      fc.int16Array(),
    );
    const { value: tree } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 20 }),
        fc.dictionary(fc.string(), tie('value')),
      ),
    }));
    const hasProto = (value: unknown): boolean =>
      typeof value === 'object' &&
      value !== null &&
      (Object.hasOwn(value, '__proto__') || Object.values(value).some(hasProto));
    fc.assert(
      fc.property(tree, (value) => {
        const box = { value };
        if (!hasProto(box)) roundTrip(msgpack(), box);
      }),
      RUNS,
    );
  });
});

describe('UTF-8', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const nearly = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 4 }),
      text.map((t) => encodeUtf8(t)),
    ),
    { maxLength: 5 },
  );
  it('is judged as TextDecoder judges it', () => {
    fc.assert(
      fc.property(nearly, (parts) => {
        const input = Uint8Array.from(parts.flatMap((part) => [...part]));
        let expected: string | undefined;
        try {
          expected = strict.decode(input);
        } catch {
          expected = undefined;
        }
        expect(isUtf8(input, 0, input.length)).toBe(expected !== undefined);
        expect(decodeUtf8(input, 0, input.length)).toBe(expected);
      }),
      { numRuns: 3000 },
    );
  });
});

type Reader = Pick<Serde<unknown>, 'name' | 'deserialize'>;

/** Whatever the bytes are: a value, or a record error that says so; never a changed prototype. */
function holds(serde: Reader, input: Uint8Array): void {
  try {
    const value = serde.deserialize(input);
    if (value === null || value === undefined) throw new Error(`${serde.name} read null`);
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    if (error.code !== 'ERR_DECODE' && error.code !== 'ERR_VALIDATION') throw error;
  }
  const polluted = Object.keys(Object.prototype).length > 0 || Object.getPrototypeOf({}) !== Object.prototype;
  if (polluted || Reflect.get({}, 'polluted') !== undefined) throw new Error(`${serde.name} changed a prototype`);
}

const model = z.object({
  id: z.string(),
  tags: z.array(z.string()),
  at: z.number(),
  more: z.record(z.string(), z.unknown()),
});
const hostileKeys = fc.constantFrom('__proto__', 'constructor', 'prototype', 'a', '\\u005f_proto__');
const hostileJson = fc
  .tuple(hostileKeys, hostileKeys, fc.nat(300))
  .map(
    ([outer, inner, levels]) => `${'['.repeat(levels)}{"${outer}":{"${inner}":{"polluted":true}}}${']'.repeat(levels)}`,
  );
const codecs: readonly (readonly [string, Reader])[] = [
  ['string', string()],
  ['bytes', bytes()],
  ['uuid', uuid()],
  ['int32', int32()],
  ['int64', int64()],
  ['float64', float64()],
  ['json', json()],
  ['json with a schema', json(model)],
  ['msgpack', msgpack()],
  ['msgpack with a schema', msgpack(model)],
];

describe.each(codecs)('hostile payloads: %s', (_, serde) => {
  const writer = serde.name === 'json' ? json() : msgpack();
  const valid = fc
    .record({ id: fc.string({ unit: 'grapheme' }), tags: fc.array(fc.string()), at: fc.double(), more: fc.object() })
    .map((value) => {
      try {
        return writer.serialize(value);
      } catch {
        return new Uint8Array(0);
      }
    });

  it('random bytes', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (input) => holds(serde, input)),
      RUNS,
    ));
  it('truncated payloads', () => {
    fc.assert(
      fc.property(valid, fc.nat(), (input, cut) => holds(serde, input.subarray(0, cut % (input.length + 1)))),
      RUNS,
    );
  });
  it('changed, inserted and repeated bytes', () => {
    const edit = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), insert: fc.nat({ max: 6 }) });
    fc.assert(
      fc.property(valid, fc.array(edit, { minLength: 1, maxLength: 4 }), (input, edits) => {
        const changed = [...input];
        for (const { at, byte, insert } of edits) {
          const index = at % (changed.length + 1);
          if (insert === 0) changed[index] = byte;
          else changed.splice(index, 0, ...Array.from<number>({ length: insert }).fill(byte));
        }
        holds(serde, Uint8Array.from(changed));
      }),
      RUNS,
    );
  });
  it('unsafe keys and depth bombs', () => {
    fc.assert(
      fc.property(hostileJson, (input) => holds(serde, new TextEncoder().encode(input))),
      RUNS,
    );
    const opening = fc.constantFrom(
      [0x91],
      [0x81, 0xa1, 0x61],
      [0xdc, 0, 1],
      [0xdd, 0, 0, 0, 1],
      [0x81, 0xa9, ...Buffer.from('__proto__')],
    );
    fc.assert(
      fc.property(fc.array(opening, { maxLength: 250 }), (parts) =>
        holds(serde, Uint8Array.from([...parts.flat(), 1])),
      ),
      RUNS,
    );
  });
});
