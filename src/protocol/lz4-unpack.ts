import { Malformed } from './corrupt.ts';
import { eachLz4Block } from './lz4-frame.ts';

const MIN_MATCH = 4;

/**
 * Unpacks an LZ4 frame into memory that the garbage collector tracks. It does not track the memory of the native
 * decoder, so gigabytes of large batches would pile up. This is slower, so it is only used for large frames.
 *
 * @param size - The exact unpacked size of the frame.
 * @throws Malformed
 */
export function unpackLz4Frame(bytes: Uint8Array, size: number): Uint8Array {
  const output = new Uint8Array(size);
  let to = 0;
  eachLz4Block(bytes, (start, length, stored) => {
    if (!stored) {
      to = unpackBlock(bytes, start, start + length, output, to);
      return;
    }
    if (to + length > size) throw new Malformed('the LZ4 frame unpacks to more than its blocks hold');
    output.set(bytes.subarray(start, start + length), to);
    to += length;
  });
  if (to !== size) throw new Malformed('the LZ4 frame unpacks to less than its blocks hold');
  return output;
}

/** Matches may refer to earlier blocks. Returns the end of the output. */
function unpackBlock(bytes: Uint8Array, start: number, end: number, output: Uint8Array, target: number): number {
  let at = start;
  let to = target;
  while (at < end) {
    const token = bytes[at++]!;
    let length = token >>> 4;
    if (length === 15) {
      for (let more = 255; more === 255 && at < end; length += more) more = bytes[at++]!;
    }
    if (length > end - at || length > output.length - to)
      throw new Malformed('an LZ4 block has literals that do not fit');
    if (length > 32) output.set(bytes.subarray(at, at + length), to);
    else for (let i = 0; i < length; i++) output[to + i] = bytes[at + i]!;
    to += length;
    at += length;
    if (at >= end) return to; // the last sequence has no match
    if (at + 2 > end) throw new Malformed('an LZ4 block is cut off');
    const distance = bytes[at]! | (bytes[at + 1]! << 8);
    at += 2;
    let match = token & 15;
    if (match === 15) {
      for (let more = 255; more === 255 && at < end; match += more) more = bytes[at++]!;
    }
    match += MIN_MATCH;
    if (distance === 0 || distance > to || match > output.length - to) {
      throw new Malformed('an LZ4 block has a match that does not fit');
    }
    to = copyMatch(output, to, distance, match);
  }
  return to;
}

/** Copies earlier output; source and target may overlap, which repeats a pattern. */
function copyMatch(output: Uint8Array, target: number, distance: number, length: number): number {
  const from = target - distance;
  const to = target + length;
  if (length <= 32) {
    for (let i = 0; i < length; i++) output[target + i] = output[from + i]!;
    return to;
  }
  // Each copy makes a longer piece to copy from.
  for (let at = target; at < to; ) {
    const piece = Math.min(at - from, to - at);
    output.copyWithin(at, from, from + piece);
    at += piece;
  }
  return to;
}
