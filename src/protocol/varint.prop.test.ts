import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { VarintReader, varintSize, writeVarint, writeVarlong } from './varint.ts';

/** The definition, in integers of any size: zigzag, then seven bits per byte. */
function reference(value: bigint): number[] {
  let raw = value >= 0n ? value * 2n : -value * 2n - 1n;
  const bytes: number[] = [];
  while (raw >= 128n) {
    bytes.push(Number(raw & 127n) | 128);
    raw >>= 7n;
  }
  bytes.push(Number(raw));
  return bytes;
}

const int32 = fc.oneof(fc.integer(), fc.integer({ min: -300, max: 300 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1));
const nearPowers = fc
  .tuple(fc.integer({ min: 0, max: 53 }), fc.integer({ min: -2, max: 2 }), fc.boolean())
  .map(([power, delta, negative]) => Math.min(2 ** 53, 2 ** power + delta) * (negative ? -1 : 1));
const long = fc.oneof(fc.maxSafeInteger(), int32, nearPowers);

test('a varint has the bytes of the definition and comes back', () => {
  fc.assert(
    fc.property(int32, (value) => {
      const bytes = new Uint8Array(12);
      const end = writeVarint(bytes, 1, value);
      expect([...bytes.subarray(1, end)]).toEqual(reference(BigInt(value)));
      expect(varintSize(value)).toBe(end - 1);
      const reader = new VarintReader();
      reader.position = 1;
      expect(reader.readInt(bytes)).toBe(value);
      expect(reader.position).toBe(end);
      expect(reader.failed).toBe(false);
    }),
    { numRuns: 3000 },
  );
});

test('a varlong within ±2^53 has the bytes of the definition and comes back', () => {
  fc.assert(
    fc.property(long, (value) => {
      const bytes = new Uint8Array(12);
      const end = writeVarlong(bytes, 0, value);
      expect([...bytes.subarray(0, end)]).toEqual(reference(BigInt(value)));
      const reader = new VarintReader();
      expect(reader.readLong(bytes)).toBe(value === 0 ? 0 : value);
      expect(reader.position).toBe(end);
    }),
    { numRuns: 5000 },
  );
});

test('any 64-bit varlong is read as the nearest number', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const reader = new VarintReader();
      const read = reader.readLong(Uint8Array.from(reference(value)));
      expect(Math.abs(read - Number(value))).toBeLessThanOrEqual(2 ** 11);
      expect(Number.isSafeInteger(read)).toBe(Number.isSafeInteger(Number(value)));
    }),
  );
});

test('too many bytes are a failure, and reading stops', () => {
  const endless = new Uint8Array(20).fill(0xff);
  const ints = new VarintReader();
  ints.readInt(endless);
  expect([ints.failed, ints.position]).toEqual([true, 5]);
  const longs = new VarintReader();
  longs.readLong(endless);
  expect([longs.failed, longs.position]).toEqual([true, 10]);
});
