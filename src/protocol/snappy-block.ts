import { Malformed } from './corrupt.ts';

/** No element of the format expands 3 bytes to more than 64. */
const MAX_EXPANSION = 22;

/** The length that a raw Snappy block declares, and where its elements begin. */
export interface SnappyBlock {
  readonly length: number;
  readonly elements: number;
}

/** Reads the declared length of the block in `bytes[start, end)`, refusing one that the block cannot unpack to. */
export function readSnappyLength(bytes: Uint8Array, start: number, end: number): SnappyBlock {
  let length = 0;
  let at = start;
  for (let factor = 1; factor <= 2 ** 28; factor *= 128) {
    if (at >= end) break;
    const byte = bytes[at++]!;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) {
      if (length > (end - at) * MAX_EXPANSION) throw new Malformed('a Snappy block claims more than it can unpack to');
      return { length, elements: at };
    }
  }
  throw new Malformed('a Snappy block has no valid length');
}

/**
 * Unpacks the elements `bytes[start, end)` of a block into `output[target, target + length)`, which they must fill
 * exactly. Implemented here, so that every length is checked before it is used.
 */
export function decodeSnappyBlock(
  bytes: Uint8Array,
  start: number,
  end: number,
  output: Uint8Array,
  target: number,
  length: number,
): void {
  const limit = target + length;
  let from = start;
  let to = target;
  while (from < end) {
    const tag = bytes[from++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let size = tag >>> 2;
      if (size >= 60) {
        const sizeBytes = size - 59;
        if (from + sizeBytes > end) throw invalid();
        size = readLittleEndian(bytes, from, sizeBytes);
        from += sizeBytes;
      }
      size++;
      if (from + size > end || to + size > limit) throw invalid();
      if (size > 24) output.set(bytes.subarray(from, from + size), to);
      else for (let i = 0; i < size; i++) output[to + i] = bytes[from + i]!;
      from += size;
      to += size;
      continue;
    }
    const offsetBytes = kind === 3 ? 4 : kind;
    if (from + offsetBytes > end) throw invalid();
    const size = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const low = readLittleEndian(bytes, from, offsetBytes);
    const offset = kind === 1 ? ((tag >>> 5) << 8) | low : low;
    from += offsetBytes;
    if (offset === 0 || offset > to - target || to + size > limit) throw invalid();
    // Byte by byte: source and target overlap when a pattern repeats.
    for (let i = 0; i < size; i++) output[to + i] = output[to - offset + i]!;
    to += size;
  }
  if (to !== limit) throw invalid();
}

function readLittleEndian(bytes: Uint8Array, start: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[start + i]!;
  return value;
}

function invalid(): Malformed {
  return new Malformed('a Snappy block is invalid');
}
