import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type * as ZstdWasm from '@bokuweb/zstd-wasm';
import type { Codec } from './compression.ts';
import { Malformed, OutputTooLarge } from './corrupt.ts';
import { plainBytes } from './record-table.ts';
import { type ZstdFrame, zstdFrames } from './zstd-frame.ts';

/** The functions of a zstd library: whole buffers in, whole buffers out. */
interface Zstd {
  compress(bytes: Uint8Array): Uint8Array;
  /** Unpacks one frame to at most `maxBytes`, or throws. */
  decompress(frame: Uint8Array, maxBytes: number): Uint8Array;
}

/** Zstandard: Node's implementation if available (from 22.15), otherwise WebAssembly. */
export async function loadZstd(): Promise<Codec> {
  return zstdCodec((await nodeZstd()) ?? (await wasmZstd()));
}

/** A codec over a zstd library, which only gets frames that were checked to be valid and small enough. */
export function zstdCodec(zstd: Zstd): Codec {
  return {
    compress: (bytes) => zstd.compress(bytes),
    decompress: (bytes, maxOutputBytes) => {
      const frames = zstdFrames(bytes);
      const parts: Uint8Array[] = [];
      let total = 0;
      for (const frame of frames) {
        const part = unpack(zstd, bytes.subarray(frame.start, frame.end), frame, maxOutputBytes - total);
        if (part === undefined) throw new OutputTooLarge(maxOutputBytes);
        total += part.length;
        parts.push(part);
      }
      return parts.length === 1 ? parts[0]! : concat(parts, total);
    },
  };
}

/** `undefined` if the frame unpacks to more than `maxBytes`. */
function unpack(zstd: Zstd, bytes: Uint8Array, frame: ZstdFrame, maxBytes: number): Uint8Array | undefined {
  if (frame.declared > maxBytes) return undefined;
  if (frame.declared === 0 || frame.bound === 0) return new Uint8Array(0);
  if (frame.declared > 0 || frame.bound <= maxBytes) return zstd.decompress(bytes, frame.bound);
  // The bound is loose: only the library can tell whether the frame fits. A refusal is treated as "too large".
  try {
    return zstd.decompress(bytes, maxBytes);
  } catch {
    return undefined;
  }
}

function concat(parts: readonly Uint8Array[], total: number): Uint8Array {
  const output = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    output.set(part, at);
    at += part.length;
  }
  return output;
}

type NodeZstd = (bytes: Uint8Array, options?: { readonly maxOutputLength: number }) => Uint8Array;

/** The functions of this Node, or `undefined` before 22.15. */
export async function nodeZstd(): Promise<Zstd | undefined> {
  const zlib = await import('node:zlib');
  const isFunction = (value: unknown): value is NodeZstd => typeof value === 'function';
  const compress: unknown = Reflect.get(zlib, 'zstdCompressSync');
  const decompress: unknown = Reflect.get(zlib, 'zstdDecompressSync');
  if (!isFunction(compress) || !isFunction(decompress)) return undefined;
  return {
    compress: (bytes) => plainBytes(compress(bytes)),
    decompress: (frame, maxBytes) => plainBytes(decompress(frame, { maxOutputLength: Math.max(1, maxBytes) })),
  };
}

/** The WebAssembly build of the reference library. */
export async function wasmZstd(): Promise<Zstd> {
  const zstd = await privateCopy();
  await zstd.init();
  return {
    compress: (bytes) => zstd.compress(bytes),
    decompress: (frame, maxBytes) => {
      const output = zstd.decompress(frame, { defaultHeapSize: Math.max(1, maxBytes) });
      if (output.length > maxBytes) throw new Malformed('the zstd frame unpacks to more than allowed');
      return output;
    },
  };
}

/**
 * The library has one memory for everyone who loads it, and a second `init`, by another library or another copy of this
 * one, replaces the memory under the existing functions, which then compress the wrong data. So this copy is private.
 */
async function privateCopy(): Promise<typeof ZstdWasm> {
  const require = createRequire(import.meta.url);
  let entry: string;
  try {
    entry = require.resolve('@bokuweb/zstd-wasm');
  } catch {
    // In a bundle it is part of the file, where nobody else can reach it.
    return import('@bokuweb/zstd-wasm');
  }
  const { cache } = require;
  const folder = dirname(entry);
  const takeOut = (): (readonly [name: string, module: NodeModule | undefined])[] => {
    const names = Object.keys(cache).filter((name) => name.startsWith(folder));
    const modules = names.map((name) => [name, cache[name]] as const);
    for (const name of names) delete cache[name];
    return modules;
  };
  const others = takeOut();
  try {
    return require(entry) as typeof ZstdWasm;
  } finally {
    takeOut();
    for (const [name, module] of others) cache[name] = module;
  }
}
