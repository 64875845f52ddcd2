import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes } from '../serdes/bytes.ts';
import { float64 } from '../serdes/float64.ts';
import { int32 } from '../serdes/int32.ts';
import { int64 } from '../serdes/int64.ts';
import { json } from '../serdes/json.ts';
import { msgpack } from '../serdes/msgpack.ts';
import { nullable } from '../serdes/nullable.ts';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import { uuid } from '../serdes/uuid.ts';
import { compareBytes, keyId, keyIdOfBytes } from './key-codec.ts';

/** A serde of a user's, which writes different values alike. */
const lowerCase: Serde<string> = {
  name: 'lower case',
  serialize: (text) => string().serialize(text.toLowerCase()),
  deserialize: (data) => string().deserialize(data),
};

/** Whether two keys are one in memory must be whether they are one in the store. */
function agrees<K>(serde: Serde<K>, left: NonNullable<K>, right: NonNullable<K>): void {
  const sameBytes = compareBytes(serde.serialize(left), serde.serialize(right)) === 0;
  // As a map sees it, for which NaN is itself.
  const one = new Set([keyId(left, serde), keyId(right, serde)]).size === 1;
  expect(one, `${typeof left} and ${typeof right}`).toBe(sameBytes);
  // Rows that are read have only bytes.
  expect(new Set([keyId(left, serde), keyIdOfBytes(serde.serialize(left), serde)]).size).toBe(1);
}

describe('identity of keys', () => {
  it('is that of their bytes', () => {
    const few = fc.constantFrom('a', 'b', 'ab', '');
    fc.assert(fc.property(few, few, (left, right) => agrees(string(), left, right)));
    fc.assert(fc.property(fc.bigInt(-3n, 3n), fc.bigInt(-3n, 3n), (left, right) => agrees(int64(), left, right)));
    const number = fc.constantFrom(0, -0, 1, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY);
    fc.assert(fc.property(number, number, (left, right) => agrees(float64(), left, right)));
    fc.assert(fc.property(number, number, (left, right) => agrees(nullable(float64()), left, right)));
    fc.assert(fc.property(number, number, (left, right) => agrees(msgpack<number>(), left, right)));
    const whole = fc.constantFrom(0, -0, 1, -1);
    fc.assert(fc.property(whole, whole, (left, right) => agrees(int32(), left, right)));
    fc.assert(fc.property(whole, whole, (left, right) => agrees(json<number>(), left, right)));
    const mixed = fc.constantFrom<number | bigint | string | boolean>(0, -0, 0n, 5, 5n, '5', true, 'true');
    fc.assert(fc.property(mixed, mixed, (left, right) => agrees(msgpack<typeof left>(), left, right)));
    const id = '6f1ed002-ab59-4d5a-9c0e-5b2b2f1f0a3c';
    const ids = fc.constantFrom(id, id.toUpperCase(), id.replace('6', '7'));
    fc.assert(fc.property(ids, ids, (left, right) => agrees(uuid(), left, right)));
    // Composed or not: other bytes, so other keys.
    const accents = fc.constantFrom('é', 'e\u0301', 'E\u0301');
    fc.assert(fc.property(accents, accents, (left, right) => agrees(string(), left, right)));
    fc.assert(fc.property(accents, accents, (left, right) => agrees(lowerCase, left, right)));
    const blob = fc.uint8Array({ maxLength: 2, max: 2 });
    fc.assert(fc.property(blob, blob, (left, right) => agrees(bytes(), left, right)));
    const data = fc.oneof(
      fc.record({ a: fc.nat({ max: 2 }), b: fc.constantFrom('x', 'y') }),
      fc.tuple(fc.nat({ max: 2 })),
      fc.nat({ max: 2 }),
      few,
    );
    fc.assert(fc.property(data, data, (left, right) => agrees(json<NonNullable<unknown>>(), left, right)));
  });

  it('does not take a text for the object that it describes', () => {
    agrees(json<NonNullable<unknown>>(), '{"a":1}', { a: 1 });
    agrees(json<NonNullable<unknown>>(), '[1]', [1]);
    agrees(json<NonNullable<unknown>>(), '\ud800{"a":1}', { a: 1 });
  });
});

describe('order of bytes', () => {
  it('is that of unsigned bytes, a prefix first', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (left, right) => {
        expect(Math.sign(compareBytes(left, right))).toBe(Math.sign(Buffer.compare(left, right)));
      }),
    );
  });

  it('differs from that of UTF-16, where characters beyond the basic plane come before U+E000', () => {
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    expect(['\uFF21', '\u{1F600}'].sort()).toEqual(['\u{1F600}', '\uFF21']);
    expect(compareBytes(encode('\u{1F600}'), encode('\uFF21'))).toBeGreaterThan(0);
  });
});
