import snappy from 'snappyjs';
import type { Codec } from './compression.ts';
import { Malformed, OutputTooLarge } from './corrupt.ts';
import { decodeSnappyBlock, readSnappyLength } from './snappy-block.ts';

/**
 * Java's producers wrap Snappy blocks in the framing of snappy-java: this magic, two versions, then blocks with their
 * length in front. librdkafka sends one raw block. Both are read; the Java form is written, because all clients read it.
 */
const MAGIC = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00);
const FRAME_HEADER_BYTES = 16;
/** Uncompressed bytes per block, as snappy-java has it. */
const BLOCK_BYTES = 32 * 1024;

interface Block {
  readonly elements: number;
  readonly end: number;
  readonly length: number;
}

export const snappyCodec: Codec = {
  compress: (bytes) => {
    const blocks: Uint8Array[] = [];
    let size = FRAME_HEADER_BYTES;
    for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
      const block = snappy.compress(bytes.subarray(start, start + BLOCK_BYTES));
      blocks.push(block);
      size += 4 + block.length;
    }
    const output = new Uint8Array(size);
    const view = new DataView(output.buffer);
    output.set(MAGIC);
    view.setInt32(8, 1); // version
    view.setInt32(12, 1); // oldest version that can read it
    let at = FRAME_HEADER_BYTES;
    for (const block of blocks) {
      view.setInt32(at, block.length);
      output.set(block, at + 4);
      at += 4 + block.length;
    }
    return output;
  },

  decompress: (bytes, maxOutputBytes) => {
    const blocks = hasMagic(bytes, 0) ? framedBlocks(bytes) : [blockAt(bytes, 0, bytes.length)];
    const total = blocks.reduce((sum, block) => sum + block.length, 0);
    if (total > maxOutputBytes) throw new OutputTooLarge(maxOutputBytes);
    const output = new Uint8Array(total);
    let target = 0;
    for (const { elements, end, length } of blocks) {
      decodeSnappyBlock(bytes, elements, end, output, target, length);
      target += length;
    }
    return output;
  },
};

function blockAt(bytes: Uint8Array, start: number, end: number): Block {
  const { length, elements } = readSnappyLength(bytes, start, end);
  return { elements, end, length };
}

function framedBlocks(bytes: Uint8Array): Block[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: Block[] = [];
  let at = 0;
  while (at < bytes.length) {
    // Frames may follow each other: snappy-java reads them as one stream.
    if (hasMagic(bytes, at)) {
      if (at + FRAME_HEADER_BYTES > bytes.length) throw new Malformed('a Snappy frame header is cut off');
      if (view.getInt32(at + 12) > 1) throw new Malformed('a Snappy frame has a newer version than 1');
      at += FRAME_HEADER_BYTES;
      continue;
    }
    const size = at + 4 <= bytes.length ? view.getInt32(at) : -1;
    const end = at + 4 + size;
    if (size < 0 || end > bytes.length) throw new Malformed('a Snappy frame has a block that does not fit');
    blocks.push(blockAt(bytes, at + 4, end));
    at = end;
  }
  return blocks;
}

function hasMagic(bytes: Uint8Array, start: number): boolean {
  return MAGIC.every((byte, i) => bytes[start + i] === byte);
}
