import { Malformed } from './corrupt.ts';

const MAGIC = 0x184d2204;

/** How a frame begins. */
interface FrameHeader {
  readonly header: Uint8Array;
  /** The most that a block of it holds. */
  readonly blockBytes: number;
}

const LARGEST: FrameHeader = frameHeader(7, 0x73);

/** The ways a frame begins that is written here: independent blocks of 64 KiB to 4 MiB, no checksums, no size. */
const FRAME_HEADERS: readonly FrameHeader[] = [
  frameHeader(4, 0x82),
  frameHeader(5, 0xfb),
  frameHeader(6, 0x51),
  LARGEST,
];

/** The checksum is the second byte of the XXH32 of the two bytes before it. */
function frameHeader(blockCode: number, checksum: number): FrameHeader {
  const header = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, blockCode << 4, checksum);
  return { header, blockBytes: 1 << (8 + 2 * blockCode) };
}

/** The beginning of a frame that holds `size` bytes in one block, or else in the largest ones. */
export function lz4FrameHeader(size: number): FrameHeader {
  return FRAME_HEADERS.find(({ blockBytes }) => size <= blockBytes) ?? LARGEST;
}

/** A byte of a compressed block expands to at most 255 bytes. */
const MAX_EXPANSION = 255;

/**
 * The unpacked size of an LZ4 frame: a cheap upper bound from the sizes of its blocks or, if that exceeds `limit`, the
 * exact size, found by walking the sequences of the blocks without unpacking them.
 *
 * @throws Malformed if it is not a valid frame.
 */
export function lz4FrameSize(bytes: Uint8Array, limit: number): number {
  const bound = sumOfBlocks(bytes, (_start, size, blockMax) => Math.min(size * MAX_EXPANSION, blockMax));
  if (bound <= limit) return bound;
  return exactLz4Size(bytes);
}

/** The exact unpacked size of an LZ4 frame. */
export function exactLz4Size(bytes: Uint8Array): number {
  return sumOfBlocks(bytes, (start, size) => lz4BlockSize(bytes, start, start + size));
}

function sumOfBlocks(bytes: Uint8Array, sizeOf: (start: number, size: number, blockMax: number) => number): number {
  let total = 0;
  eachLz4Block(bytes, (start, size, stored, blockMax) => {
    total += stored ? size : sizeOf(start, size, blockMax);
  });
  return total;
}

/** Visits the blocks of a frame. @throws Malformed if it is not a valid frame */
export function eachLz4Block(
  bytes: Uint8Array,
  visit: (start: number, size: number, stored: boolean, blockMax: number) => void,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC) throw new Malformed('it does not begin with an LZ4 frame');
  const flags = view.getUint8(4);
  const blockCode = (view.getUint8(5) >>> 4) & 7;
  if (flags >>> 6 !== 1 || blockCode < 4) throw new Malformed('the LZ4 frame header is invalid');
  const blockMax = 1 << (8 + 2 * blockCode);
  const checksumBytes = (flags & 0x10) !== 0 ? 4 : 0;
  let at = 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
  for (;;) {
    if (at + 4 > bytes.length) throw new Malformed('the LZ4 frame is cut off');
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) return;
    const size = word & 0x7fff_ffff;
    if (at + size + checksumBytes > bytes.length) throw new Malformed('the LZ4 frame has a block that does not fit');
    visit(at, size, word >= 0x8000_0000, blockMax);
    at += size + checksumBytes;
  }
}

/** The unpacked size of one compressed block. */
function lz4BlockSize(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let total = 0;
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >>> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) {
        more = bytes[at++]!;
        literals += more;
      }
    }
    total += literals;
    at += literals;
    if (at >= end) break; // the last sequence has no match
    at += 2;
    let match = token & 15;
    if (match === 15) {
      let more = 255;
      while (more === 255 && at < end) {
        more = bytes[at++]!;
        match += more;
      }
    }
    total += match + 4;
  }
  return total;
}
