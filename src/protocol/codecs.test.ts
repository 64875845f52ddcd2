import { beforeAll, describe, expect, test } from 'vitest';
import { wasmZstd, zstdCodec } from './codec-zstd.ts';
import { type Codec, type Compression, compress, decompress, ensureCodec } from './compression.ts';
import { OutputTooLarge } from './corrupt.ts';

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
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

/** Bytes that are partly regular, from a linear congruential generator. */
function sample(length: number, seed: number, alphabet: number): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % alphabet;
  });
}

const INPUTS: readonly (readonly [string, Uint8Array])[] = [
  ['nothing', new Uint8Array(0)],
  ['one byte', Uint8Array.of(7)],
  ['300 bytes of noise', sample(300, 1, 256)],
  ['a quarter megabyte of letters', sample(250_000, 2, 4)],
  ['a megabyte of noise', sample(1_000_000, 3, 256)],
  ['nine megabytes of one byte', new Uint8Array(9_000_000).fill(65)],
];

describe.each([...COMPRESSIONS, 'zstd (WebAssembly)'])('%s', (name) => {
  test.each(INPUTS)('round trip of %s', (_title, input) => {
    const codec = codecs.get(name)!;
    const packed = codec.compress(input);
    const unpacked = codec.decompress(packed, input.length);
    expect(unpacked.length).toBe(input.length);
    expect(Buffer.compare(unpacked, input)).toBe(0);
    expect(unpacked.constructor).toBe(Uint8Array);
  });

  test('refuses to unpack more than allowed', () => {
    const codec = codecs.get(name)!;
    for (const size of [2, 1000, 70_000, 32 * 1024 * 1024]) {
      const packed = codec.compress(new Uint8Array(size));
      expect(() => codec.decompress(packed, size - 1), `${size} bytes`).toThrow(OutputTooLarge);
      expect(codec.decompress(packed, size).length).toBe(size);
    }
  });
});
