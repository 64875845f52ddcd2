import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareBytes } from './key-codec.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

const number = fc.oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1));

function bytesOf(value: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES + 2);
  writeNumber(bytes, 1, value);
  return bytes.slice(1, 1 + NUMBER_BYTES);
}

describe('numbers as bytes', () => {
  it('come back', () => {
    fc.assert(
      fc.property(number, (value) => {
        expect(readNumber(bytesOf(value), 0)).toBe(value);
      }),
    );
    expect(readNumber(bytesOf(-1), 0)).toBe(-1);
  });

  it('are ordered as the numbers are, with −1 last', () => {
    fc.assert(
      fc.property(number, number, (left, right) => {
        expect(Math.sign(compareBytes(bytesOf(left), bytesOf(right)))).toBe(Math.sign(left - right));
        expect(compareBytes(bytesOf(-1), bytesOf(left))).toBeGreaterThan(0);
      }),
    );
  });
});
