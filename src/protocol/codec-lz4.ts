import type { Codec } from './compression.ts';
import { Malformed, OutputTooLarge } from './corrupt.ts';
import { lz4FrameHeader, lz4FrameSize } from './lz4-frame.ts';
import { maxPackedLz4, packLz4Block } from './lz4-pack.ts';
import { unpackLz4Frame } from './lz4-unpack.ts';

/** The memory that is kept for the next call; larger output has memory of its own. */
const KEPT_BYTES = 1024 * 1024;
const STORED = 0x8000_0000;
const WORD_BYTES = 4;

let kept: Uint8Array | undefined;

/** Working memory of at least `size` bytes. It is used until the end of a call, which is synchronous. */
function working(size: number): Uint8Array {
  if (size > KEPT_BYTES) return new Uint8Array(size);
  kept ??= new Uint8Array(KEPT_BYTES);
  return kept;
}

/** LZ4 frames of independent blocks, without checksums, as Kafka's own producer writes them. */
export const lz4Codec: Codec = {
  compress: (bytes) => {
    const { header, blockBytes } = lz4FrameHeader(bytes.length);
    const blocks = Math.ceil(bytes.length / blockBytes);
    const output = working(header.length + maxPackedLz4(bytes.length) + (blocks + 1) * (WORD_BYTES + 16));
    const input = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const room = new DataView(output.buffer, output.byteOffset, output.byteLength);
    output.set(header);
    let to = header.length;
    for (let start = 0; start < bytes.length; start += blockBytes) {
      const end = Math.min(start + blockBytes, bytes.length);
      const from = to + WORD_BYTES;
      const packed = packLz4Block(bytes, input, start, end, output, room, from) - from;
      const stored = packed >= end - start;
      if (stored) output.set(bytes.subarray(start, end), from);
      room.setUint32(to, stored ? end - start + STORED : packed, true);
      to = from + (stored ? end - start : packed);
    }
    room.setUint32(to, 0, true);
    return output.slice(0, to + WORD_BYTES);
  },

  decompress: (bytes, maxOutputBytes) => {
    const size = lz4FrameSize(bytes, Math.min(maxOutputBytes, KEPT_BYTES));
    if (size > maxOutputBytes) throw new OutputTooLarge(maxOutputBytes);
    // Up to here a bound may do, and unpacking takes as long as finding the exact size. Beyond, the size is exact.
    const output = working(size);
    const unpacked = unpackLz4Frame(bytes, output);
    if (unpacked > size) throw new Malformed('the LZ4 frame unpacks to more than its blocks hold');
    if (output !== kept) {
      if (unpacked < size) throw new Malformed('the LZ4 frame unpacks to less than its blocks hold');
      return output;
    }
    return output.slice(0, unpacked);
  },
};
