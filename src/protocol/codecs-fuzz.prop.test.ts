import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { wasmZstd, zstdCodec } from './codec-zstd.ts';
import { type Codec, type Compression, compress, decompress, ensureCodec } from './compression.ts';

const COMPRESSIONS: readonly Compression[] = ['gzip', 'snappy', 'lz4', 'zstd'];
const MAX_OUTPUT = 200_000;
const codecs = new Map<string, Codec>();

beforeAll(async () => {
  for (const compression of COMPRESSIONS) {
    await ensureCodec(compression);
    codecs.set(compression, {
      compress: (bytes) => compress(compression, bytes),
      decompress: (bytes, max) => decompress(compression, bytes, max),
    });
  }
  codecs.set('zstd (WebAssembly)', zstdCodec(await wasmZstd()));
});

/** Text of a few words: what compressors find matches in. */
const regular = fc
  .array(fc.constantFrom('click ', 'page ', '{"user":', '12345', 'é', '\n'), { maxLength: 400 })
  .map((words) => new Uint8Array(Buffer.from(words.join(''))));
const input = fc.oneof(
  regular,
  fc.uint8Array({ maxLength: 300 }),
  fc.nat(100_000).map((length) => new Uint8Array(length)),
);
const edits = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });

test.each([...COMPRESSIONS, 'zstd (WebAssembly)'])(
  '%s: damage is an error or other output, never more than allowed',
  (name) => {
    fc.assert(
      fc.property(input, edits, fc.option(fc.nat()), (bytes, list, cut) => {
        const codec = codecs.get(name)!;
        const packed = codec.compress(bytes);
        expect(Buffer.compare(codec.decompress(packed, bytes.length), bytes)).toBe(0);
        for (const [position, value] of list) packed[position % packed.length] = value;
        const broken = cut === null ? packed : packed.subarray(0, cut % packed.length);
        let output: Uint8Array;
        try {
          output = codec.decompress(broken, MAX_OUTPUT);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          return;
        }
        expect(output.length).toBeLessThanOrEqual(MAX_OUTPUT);
      }),
      { numRuns: 1500 },
    );
  },
);
