import { array, assert as check, constantFrom, integer, property, uint8Array } from 'fast-check';
import { compressFrameSync, decompressFrameSync } from 'lz4-napi';
import { expect, it } from 'vitest';
import { lz4Codec } from './codec-lz4.ts';
import { Malformed } from './corrupt.ts';
import { eachLz4Block, exactLz4Size } from './lz4-frame.ts';
import { unpackLz4Frame } from './lz4-unpack.ts';

/** Bytes that repeat at short and long distances, as records do. */
const repetitive = array(integer({ min: 0, max: 60 }), { maxLength: 400 }).chain((picks) =>
  array(uint8Array({ minLength: 1, maxLength: 90 }), { minLength: 1, maxLength: 8 }).map((words) =>
    Buffer.concat(picks.map((pick) => words[pick % words.length] as Uint8Array)),
  ),
);
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

it('unpacks what the native library has packed, into memory of the size or more', () => {
  check(
    property(repetitive, constantFrom(1, 7, 300), integer({ min: 0, max: 40 }), (bytes, times, more) => {
      const plain = Buffer.concat(Array.from({ length: times }, () => bytes));
      const packed = compressFrameSync(plain);
      const size = exactLz4Size(packed);
      expect(size).toBe(plain.length);
      const output = new Uint8Array(size + more);
      expect(unpackLz4Frame(packed, output)).toBe(size);
      expect(same(output.subarray(0, size), plain)).toBe(true);
      expect(same(lz4Codec.decompress(packed, size), plain)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it('the native library unpacks what is packed here, and every block stands by itself', () => {
  check(
    property(repetitive, constantFrom(1, 7, 300), integer({ min: 0, max: 9 }), (bytes, times, skip) => {
      const whole = Buffer.concat(Array.from({ length: times }, () => bytes));
      // Bytes that begin in the middle of others, as records in a batch do.
      const plain = whole.subarray(Math.min(skip, whole.length));
      const packed = lz4Codec.compress(plain);
      expect(same(decompressFrameSync(Buffer.from(packed)), plain)).toBe(true);
      let at = 0;
      eachLz4Block(packed, (start, size) => {
        const frame = Buffer.concat([packed.subarray(0, 7), packed.subarray(start - 4, start + size), Buffer.alloc(4)]);
        const block = decompressFrameSync(frame);
        expect(same(block, plain.subarray(at, at + block.length))).toBe(true);
        at += block.length;
      });
      expect(at).toBe(plain.length);
    }),
    { numRuns: 300 },
  );
});

it.each([0, 1, 12, 13, 14, 65_535, 65_536, 65_537, 262_145, 1_048_577, 4_194_305, 9_000_000])(
  'packs %i bytes, of one kind and of noise',
  (length) => {
    let state = length;
    const noise = Buffer.alloc(length);
    for (let i = 0; i < length; i++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      noise[i] = state >>> 16;
    }
    for (const plain of [Buffer.alloc(length, 7), noise]) {
      const packed = lz4Codec.compress(plain);
      expect(packed.length).toBeLessThanOrEqual(plain.length + 11 + 4 * Math.ceil(length / 65_536));
      expect(same(decompressFrameSync(Buffer.from(packed)), plain)).toBe(true);
      expect(same(lz4Codec.decompress(packed, length), plain)).toBe(true);
    }
  },
  60_000,
);

it('still packs after a gigabyte', () => {
  const zeros = new Uint8Array(4 * 1024 * 1024);
  const words = Buffer.from('the same words, and the same words again; '.repeat(300));
  const before = lz4Codec.compress(words);
  for (let at = 0; at <= 2 ** 30; at += zeros.length) lz4Codec.compress(zeros);
  expect(same(lz4Codec.compress(words), before)).toBe(true);
}, 120_000);

it('refuses a damaged frame, or unpacks it to what it was said to hold', () => {
  check(
    property(repetitive, integer({ min: 7, max: 5000 }), integer({ min: 0, max: 255 }), (bytes, at, value) => {
      const packed = Buffer.from(compressFrameSync(bytes));
      packed[at % packed.length] = value;
      try {
        const size = exactLz4Size(packed);
        if (size > 1 << 20) return;
        expect(unpackLz4Frame(packed, new Uint8Array(size))).toBe(size);
      } catch (error) {
        expect(error).toBeInstanceOf(Malformed);
      }
    }),
    { numRuns: 2000 },
  );
});
