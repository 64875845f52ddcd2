const HASH_BITS = 13;
const HASH_SHIFT = 32 - HASH_BITS;
const HASH_FACTOR = -1_640_531_535;
const MAX_DISTANCE = 65_535;
/** By the format, a block ends with 5 literals or more, and no match begins in its last 12 bytes. */
const LAST_LITERALS = 5;
const NO_MATCH_WITHIN = 12;
const MIN_MATCH = 4;
/** After 2^5 misses the search moves two bytes at a time, after as many again three, and so on. */
const PATIENCE = 5;
/** Positions in the table grow from block to block, so that it is cleared once in a gigabyte and not for each block. */
const MAX_BASE = 2 ** 30;

/** Where four bytes were last seen, by their hash. */
const table = new Int32Array(1 << HASH_BITS);
let base = 1;

/** The most that `size` bytes can take as a compressed block. */
export function maxPackedLz4(size: number): number {
  return size + Math.ceil(size / 255) + 16;
}

/**
 * Compresses `bytes[start, end)` into one LZ4 block that refers to nothing before `start`, at `output[target]`, where
 * {@link maxPackedLz4} bytes must be free.
 *
 * @param input - A view of all of `bytes`, as `room` is one of `output`: views read and write words.
 * @returns The end of the block in `output`.
 */
export function packLz4Block(
  bytes: Uint8Array,
  input: DataView,
  start: number,
  end: number,
  output: Uint8Array,
  room: DataView,
  target: number,
): number {
  if (base > MAX_BASE) {
    table.fill(0);
    base = 1;
  }
  const first = base;
  const shift = first - start;
  base += end - start;
  const searchEnd = end - NO_MATCH_WITHIN;
  const matchEnd = end - LAST_LITERALS;
  let anchor = start;
  let to = target;
  let next = start;
  for (;;) {
    let at = next;
    let from = -1;
    for (let misses = 1 << PATIENCE; at <= searchEnd; at += misses++ >>> PATIENCE) {
      const word = input.getInt32(at, true);
      const slot = Math.imul(word, HASH_FACTOR) >>> HASH_SHIFT;
      const seen = table[slot]!;
      table[slot] = at + shift;
      if (seen < first || at + shift - seen > MAX_DISTANCE || input.getInt32(seen - shift, true) !== word) continue;
      from = seen - shift;
      break;
    }
    if (from < 0) return writeLast(bytes, anchor, end, output, to);
    while (at > anchor && from > start && bytes[at - 1] === bytes[from - 1]) {
      at--;
      from--;
    }
    const matched = endOfMatch(bytes, input, at + MIN_MATCH, from + MIN_MATCH, matchEnd);
    const literals = at - anchor;
    const token = to++;
    if (literals < 15) {
      // Whole words: what is written too much is overwritten next.
      for (let i = 0; i < literals; i += 4) room.setInt32(to + i, input.getInt32(anchor + i, true), true);
      to += literals;
    } else {
      to = writeLength(output, to, literals - 15);
      output.set(bytes.subarray(anchor, at), to);
      to += literals;
    }
    output[to++] = at - from;
    output[to++] = (at - from) >>> 8;
    const more = matched - at - MIN_MATCH;
    if (more >= 15) to = writeLength(output, to, more - 15);
    output[token] = (Math.min(literals, 15) << 4) | Math.min(more, 15);
    anchor = matched;
    next = matched;
    // A position inside the match: what follows it often repeats too.
    table[Math.imul(input.getInt32(matched - 2, true), HASH_FACTOR) >>> HASH_SHIFT] = matched - 2 + shift;
  }
}

/** Where the equal bytes at two positions end, `end` at most. */
function endOfMatch(bytes: Uint8Array, input: DataView, start: number, other: number, end: number): number {
  let at = start;
  let from = other;
  for (; at + 4 <= end; at += 4, from += 4) {
    const difference = input.getInt32(at, true) ^ input.getInt32(from, true);
    if (difference !== 0) return at + ((31 - Math.clz32(difference & -difference)) >>> 3);
  }
  while (at < end && bytes[at] === bytes[from]) {
    at++;
    from++;
  }
  return at;
}

/** The last sequence of a block: literals, without a match. */
function writeLast(bytes: Uint8Array, start: number, end: number, output: Uint8Array, target: number): number {
  const size = end - start;
  let to = target;
  output[to++] = Math.min(size, 15) << 4;
  if (size >= 15) to = writeLength(output, to, size - 15);
  output.set(bytes.subarray(start, end), to);
  return to + size;
}

function writeLength(output: Uint8Array, target: number, length: number): number {
  let to = target;
  let rest = length;
  for (; rest >= 255; rest -= 255) output[to++] = 255;
  output[to++] = rest;
  return to;
}
