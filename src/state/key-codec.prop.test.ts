import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytes } from '../serdes/bytes.ts';
import { float64 } from '../serdes/float64.ts';
import { int64 } from '../serdes/int64.ts';
import { json } from '../serdes/json.ts';
import type { Serde } from '../serdes/serde.ts';
import { string } from '../serdes/string.ts';
import { compareBytes, keyId } from './key-codec.ts';

/** Whether two keys are one in memory must be whether they are one in the store. */
function agrees<K>(serde: Serde<K>, left: NonNullable<K>, right: NonNullable<K>): void {
  const sameBytes = compareBytes(serde.serialize(left), serde.serialize(right)) === 0;
  expect(keyId(left, serde) === keyId(right, serde), `${typeof left} and ${typeof right}`).toBe(sameBytes);
}

describe('identity of keys', () => {
  it('is that of their bytes', () => {
    const few = fc.constantFrom('a', 'b', 'ab', '');
    fc.assert(fc.property(few, few, (left, right) => agrees(string(), left, right)));
    fc.assert(fc.property(fc.bigInt(-3n, 3n), fc.bigInt(-3n, 3n), (left, right) => agrees(int64(), left, right)));
    const number = fc.constantFrom(0, 1, -1, 1.5);
    fc.assert(fc.property(number, number, (left, right) => agrees(float64(), left, right)));
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
