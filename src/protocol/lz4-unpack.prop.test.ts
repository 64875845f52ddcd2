import { array, assert as check, constantFrom, integer, property, uint8Array } from 'fast-check';
import { compressFrameSync } from 'lz4-napi';
import { expect, it } from 'vitest';
import { Malformed } from './corrupt.ts';
import { exactLz4Size } from './lz4-frame.ts';
import { unpackLz4Frame } from './lz4-unpack.ts';

/** Bytes that repeat at short and long distances, as records do. */
const repetitive = array(integer({ min: 0, max: 60 }), { maxLength: 400 }).chain((picks) =>
  array(uint8Array({ minLength: 1, maxLength: 90 }), { minLength: 1, maxLength: 8 }).map((words) =>
    Buffer.concat(picks.map((pick) => words[pick % words.length] as Uint8Array)),
  ),
);

it('unpacks what the native library has packed', () => {
  check(
    property(repetitive, constantFrom(1, 7, 300), (bytes, times) => {
      const plain = Buffer.concat(Array.from({ length: times }, () => bytes));
      const packed = compressFrameSync(plain);
      expect(exactLz4Size(packed)).toBe(plain.length);
      expect(Buffer.from(unpackLz4Frame(packed, plain.length)).equals(plain)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it('refuses a damaged frame, or unpacks it to what it was said to hold', () => {
  check(
    property(repetitive, integer({ min: 7, max: 5000 }), integer({ min: 0, max: 255 }), (bytes, at, value) => {
      const packed = Buffer.from(compressFrameSync(bytes));
      packed[at % packed.length] = value;
      try {
        const size = exactLz4Size(packed);
        if (size > 1 << 20) return;
        expect(unpackLz4Frame(packed, size)).toHaveLength(size);
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed);
      }
    }),
    { numRuns: 2000 },
  );
});
