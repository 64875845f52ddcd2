import { Buffer } from 'node:buffer';
import type { Codec } from './compression.ts';
import { Malformed, OutputTooLarge } from './corrupt.ts';
import { exactLz4Size, lz4FrameSize } from './lz4-frame.ts';
import { unpackLz4Frame } from './lz4-unpack.ts';
import { plainBytes } from './record-table.ts';

/** Frames that unpack to more are not passed to the native decoder. */
const LARGE_BYTES = 8 * 1024 * 1024;

/** LZ4 frames. The native decoder has no output limit, so the size is determined before it is called. */
export async function loadLz4(): Promise<Codec> {
  const { compressFrameSync, decompressFrameSync } = await import('lz4-napi');
  return {
    compress: (bytes) => plainBytes(compressFrameSync(asBuffer(bytes))),
    decompress: (bytes, maxOutputBytes) => {
      const bound = lz4FrameSize(bytes, maxOutputBytes);
      if (bound > maxOutputBytes) throw new OutputTooLarge(maxOutputBytes);
      if (bound > LARGE_BYTES) {
        const size = exactLz4Size(bytes);
        if (size > LARGE_BYTES) return unpackLz4Frame(bytes, size);
      }
      const output = plainBytes(decompressFrameSync(asBuffer(bytes)));
      if (output.length > bound) throw new Malformed('the LZ4 frame unpacks to more than its blocks hold');
      return output;
    },
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
