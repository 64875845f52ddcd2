import { createRequire } from 'node:module';
import type * as ZstdWasm from '@bokuweb/zstd-wasm';
import { expect, it } from 'vitest';
import { wasmZstd, zstdCodec } from './codec-zstd.ts';

const require = createRequire(import.meta.url);
const library = (): typeof ZstdWasm => require('@bokuweb/zstd-wasm') as never;
const sample = Uint8Array.from({ length: 100_000 }, (_, at) => (at * at) % 251);

it('zstd by WebAssembly neither disturbs others in the process who load the library, nor is disturbed', async () => {
  const before = zstdCodec(await wasmZstd());
  const packed = before.compress(sample);
  const other = library();
  await other.init();
  const packedByOther = other.compress(sample);
  const after = zstdCodec(await wasmZstd());
  for (const codec of [before, after]) {
    expect(Buffer.compare(codec.decompress(packed, sample.length), sample)).toBe(0);
    expect(Buffer.compare(codec.decompress(codec.compress(sample), sample.length), sample)).toBe(0);
  }
  expect(library()).toBe(other);
  expect(Buffer.compare(other.decompress(packedByOther), sample)).toBe(0);
});
