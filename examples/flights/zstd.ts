import * as zlib from 'node:zlib';

type Decompress = (input: Uint8Array, outputLength: number) => Uint8Array;

/** Node has built-in zstd from 22.15 on; earlier versions use a WebAssembly build. */
export async function zstdDecompressor(): Promise<Decompress> {
  const native: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (typeof native === 'function') return (input) => native(input) as Uint8Array;
  const { decompress, init } = await import('@bokuweb/zstd-wasm');
  await init();
  return (input) => decompress(input);
}
