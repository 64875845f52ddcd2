import { Malformed } from './corrupt.ts';
import { eachLz4Block } from './lz4-frame.ts';

const MIN_MATCH = 4;
/** Literals up to this size are copied as four words; words are only copied where all four fit. */
const WORDS = 16;
/** Longer copies are left to the runtime. */
const LONG = 64;

/**
 * Unpacks an LZ4 frame into `output`, which may be larger. What follows the unpacked bytes in it is undefined after that.
 * Checksums of the frame are not compared: a record batch has one of its own.
 *
 * @returns The number of unpacked bytes.
 * @throws Malformed, also if they do not fit.
 */
export function unpackLz4Frame(bytes: Uint8Array, output: Uint8Array): number {
  const input = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const room = new DataView(output.buffer, output.byteOffset, output.byteLength);
  let to = 0;
  eachLz4Block(bytes, (start, length, stored) => {
    if (!stored) {
      to = unpackBlock(bytes, input, start, start + length, output, room, to);
      return;
    }
    if (to + length > output.length) throw new Malformed('the LZ4 frame unpacks to more than its blocks hold');
    output.set(bytes.subarray(start, start + length), to);
    to += length;
  });
  return to;
}

/** Matches may refer to earlier blocks. Returns the end of the output. */
function unpackBlock(
  bytes: Uint8Array,
  input: DataView,
  start: number,
  end: number,
  output: Uint8Array,
  room: DataView,
  target: number,
): number {
  const limit = output.length;
  const inputWords = bytes.length - WORDS;
  const outputWords = limit - WORDS;
  let at = start;
  let to = target;
  while (at < end) {
    const token = bytes[at++]!;
    let length = token >>> 4;
    if (length === 15) {
      for (let more = 255; more === 255 && at < end; length += more) more = bytes[at++]!;
    }
    if (length > end - at || length > limit - to) throw new Malformed('an LZ4 block has literals that do not fit');
    if (length <= WORDS && at <= inputWords && to <= outputWords) {
      // Mostly few: what is written too much is overwritten next.
      room.setInt32(to, input.getInt32(at, true), true);
      if (length > 4) {
        room.setInt32(to + 4, input.getInt32(at + 4, true), true);
        if (length > 8) {
          room.setInt32(to + 8, input.getInt32(at + 8, true), true);
          room.setInt32(to + 12, input.getInt32(at + 12, true), true);
        }
      }
    } else if (length > LONG) output.set(bytes.subarray(at, at + length), to);
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
    const stop = to + match;
    if (distance === 0 || distance > to || stop > limit) {
      throw new Malformed('an LZ4 block has a match that does not fit');
    }
    if (match > LONG) repeat(output, to, distance, stop);
    else if (distance >= 4 && stop <= outputWords) {
      for (; to < stop; to += 4) room.setInt32(to, room.getInt32(to - distance, true), true);
    } else for (; to < stop; to++) output[to] = output[to - distance]!;
    to = stop;
  }
  return to;
}

/** Copies earlier output to `[target, end)`; source and target may overlap, which repeats a pattern. */
function repeat(output: Uint8Array, target: number, distance: number, end: number): void {
  const from = target - distance;
  // Each copy makes a longer piece to copy from.
  for (let at = target; at < end; ) {
    const piece = Math.min(at - from, end - at);
    output.copyWithin(at, from, from + piece);
    at += piece;
  }
}
