import { Malformed } from './corrupt.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_BYTES = 128 * 1024;

/** One frame of compressed data: where it lies, and what it can unpack to. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** The declared size; −1 when the frame does not say (Java's producers do not). */
  readonly declared: number;
  /** The most that its blocks can unpack to. */
  readonly bound: number;
}

/**
 * The frames in `bytes`, found from the headers of frames and blocks (RFC 8878) without unpacking anything. Skippable
 * frames are left out.
 *
 * @throws Malformed when the bytes are not a sequence of whole frames, or a declared size exceeds what the blocks hold.
 */
export function zstdFrames(bytes: Uint8Array): ZstdFrame[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const frames: ZstdFrame[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw new Malformed('a zstd frame is cut off');
    const magic = view.getUint32(at, true);
    if ((magic & 0xffff_fff0) >>> 0 === SKIPPABLE_MAGIC) {
      at += 8 + view.getUint32(at + 4, true);
      if (at > bytes.length) throw new Malformed('a zstd frame is cut off');
      continue;
    }
    if (magic !== MAGIC) throw new Malformed('there is something else than a zstd frame');
    const frame = frameAt(view, at);
    frames.push(frame);
    at = frame.end;
  }
  return frames;
}

function frameAt(view: DataView, start: number): ZstdFrame {
  const length = view.byteLength;
  const descriptor = view.getUint8(start + 4);
  if ((descriptor & 0x08) !== 0) throw new Malformed('the zstd frame header is invalid');
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >>> 6;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const sizeAt = start + 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  let at = sizeAt + sizeBytes;
  if (at + 3 > length) throw new Malformed('the zstd frame header is cut off');
  const declared = declaredSize(view, sizeAt, sizeBytes);
  const windowBytes = singleSegment ? declared : windowSize(view.getUint8(start + 5));
  const blockMax = Math.min(windowBytes, MAX_BLOCK_BYTES);
  let bound = 0;
  let last = false;
  while (!last) {
    if (at + 3 > length) throw new Malformed('the zstd frame is cut off');
    const header = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    last = (header & 1) === 1;
    const type = (header >>> 1) & 3;
    const size = header >>> 3;
    if (type === 3 || size > MAX_BLOCK_BYTES) throw new Malformed('a zstd block is invalid');
    bound += type === 2 ? blockMax : size;
    at += 3 + (type === 1 ? 1 : size);
  }
  if ((descriptor & 0x04) !== 0) at += 4; // checksum of the content
  if (at > length) throw new Malformed('the zstd frame is cut off');
  if (declared > bound) throw new Malformed('the zstd frame declares more than its blocks can hold');
  return { start, end: at, declared, bound };
}

function declaredSize(view: DataView, at: number, sizeBytes: number): number {
  switch (sizeBytes) {
    case 0:
      return -1;
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at, true) + 256;
    case 4:
      return view.getUint32(at, true);
    default:
      return view.getUint32(at, true) + view.getUint32(at + 4, true) * 4_294_967_296;
  }
}

function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}
