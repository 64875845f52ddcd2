import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { json } from '../serdes/json.ts';
import { string } from '../serdes/string.ts';
import { msgpackCodec, serdeCodec } from './value-codec.ts';

const timestamp = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 2 ** 31, 2 ** 32, 2 ** 32 - 1, 2 ** 53 - 1));

const number = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double(), fc.constantFrom(2 ** 32, -(2 ** 33), 1e300));

/** What a state may be: plain data. Negative zero is left out below the top level, where MessagePack writes 0. */
const state = fc.letrec((tie) => ({
  leaf: fc.oneof(
    number.map((value) => value + 0 || 0),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(2 ** 33) }),
    fc.uint8Array({ maxLength: 40 }),
  ),
  list: fc.array(tie('any'), { maxLength: 5 }),
  object: fc.dictionary(
    fc.string({ maxLength: 5 }).filter((name) => name !== '__proto__'),
    tie('any'),
    { maxKeys: 5, noNullPrototype: true },
  ),
  any: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('list'), tie('object')),
})).any;

describe('codec of aggregates', () => {
  it('gives back numbers as they were, also beyond 32 bits, negative, fractional, NaN and infinite', () => {
    const codec = msgpackCodec<number>('s');
    fc.assert(
      fc.property(number, timestamp, (value, at) => {
        expect(codec.decode(codec.encode(value, at))).toEqual({ value, timestamp: at });
      }),
    );
    for (const value of [Number.NaN, -0, Number.POSITIVE_INFINITY, Number.MIN_VALUE]) {
      expect(codec.decode(codec.encode(value, 0)).value).toBe(value);
    }
  });

  it('gives back nested data of every kind', () => {
    const codec = msgpackCodec<unknown>('s');
    fc.assert(
      fc.property(state, timestamp, (value, at) => {
        expect(codec.decode(codec.encode(value, at))).toEqual({ value, timestamp: at });
      }),
    );
  });

  it('hands out bytes that the next value does not overwrite', () => {
    const codec = msgpackCodec<unknown>('s');
    fc.assert(
      fc.property(state, state, (left, right) => {
        const first = codec.encode(left, 1);
        codec.encode(right, 2);
        expect(codec.decode(first)).toEqual({ value: left, timestamp: 1 });
      }),
    );
  });
});

/** `__proto__` as a key is refused by the serde. */
const document = fc.jsonValue().filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('codec of tables', () => {
  it('gives back texts and JSON with their timestamps', () => {
    const texts = serdeCodec(string(), 's');
    const data = serdeCodec(json<unknown>(), 's');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), document, timestamp, (text, value, at) => {
        expect(texts.decode(texts.encode(text, at))).toEqual({ value: text, timestamp: at });
        if (value === null) return;
        const read = data.decode(data.encode(value, at));
        expect(read.timestamp).toBe(at);
        expect(JSON.stringify(read.value)).toBe(JSON.stringify(value));
      }),
    );
  });
});
