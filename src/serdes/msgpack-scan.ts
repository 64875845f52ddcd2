import { MAX_DEPTH } from './json-guard.ts';
import { decodeError } from './refusal.ts';
import { isUtf8 } from './text.ts';

/** Millrace's extension types; negative ones belong to MessagePack itself. */
export const EXT_TIMESTAMP = -1;
export const EXT_BIGINT = 1;
export const EXT_TYPED_ARRAY = 2;
/** Used only internally, in a buffer passed to the library; refused in input. */
export const EXT_UINT64 = 3;

/** Result bits of {@link scan}: binary data, and integers that a number cannot represent exactly. */
export const HAS_BINARY = 1;
export const HAS_BIG_INTEGER = 2;

// Shared by all scans, because a scan calls nothing that could start another one.
const left = new Int32Array(MAX_DEPTH);
const isMap = new Uint8Array(MAX_DEPTH);

const PROTO = [0x5f, 0x5f, 0x70, 0x72, 0x6f, 0x74, 0x6f, 0x5f, 0x5f];

const TOO_EARLY = 'a value that ends too early';
const BAD_KEY = 'a map key that is neither a text nor a safe integer';

const SCALAR = 0;
const INTEGER = 1;
const STRING = 2;
const BINARY = 3;
const EXTENSION = 4;
const ARRAY = 5;
const MAP = 6;
const UNKNOWN = 7;

/** Describes a type byte: its kind, the number of length bytes (0: fixed length), and the fixed length. */
function shape(kind: number, prefix: number, size: number): number {
  return (kind << 8) | (prefix << 5) | size;
}

/** The type bytes 0xc0 to 0xdf. */
// biome-ignore format: a table reads better with one family per line
const SHAPES = Uint16Array.of(
  shape(SCALAR, 0, 0), shape(UNKNOWN, 0, 0), shape(SCALAR, 0, 0), shape(SCALAR, 0, 0),
  shape(BINARY, 1, 0), shape(BINARY, 2, 0), shape(BINARY, 4, 0),
  shape(EXTENSION, 1, 0), shape(EXTENSION, 2, 0), shape(EXTENSION, 4, 0),
  shape(SCALAR, 0, 4), shape(SCALAR, 0, 8),
  shape(INTEGER, 0, 1), shape(INTEGER, 0, 2), shape(INTEGER, 0, 4), shape(INTEGER, 0, 8),
  shape(INTEGER, 0, 1), shape(INTEGER, 0, 2), shape(INTEGER, 0, 4), shape(INTEGER, 0, 8),
  shape(EXTENSION, 0, 1), shape(EXTENSION, 0, 2), shape(EXTENSION, 0, 4), shape(EXTENSION, 0, 8), shape(EXTENSION, 0, 16),
  shape(STRING, 1, 0), shape(STRING, 2, 0), shape(STRING, 4, 0),
  shape(ARRAY, 2, 0), shape(ARRAY, 4, 0),
  shape(MAP, 2, 0), shape(MAP, 4, 0),
);

function isProto(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < PROTO.length; i++) if (bytes[at + i] !== PROTO[i]) return false;
  return true;
}

function uint(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

/** Whether the 64-bit integer at `at` is outside ±(2^53 − 1). */
function isBig(bytes: Uint8Array, at: number, signed: boolean): boolean {
  const high = uint(bytes, at, 4);
  if (high < 0x200000) return false;
  if (!signed || high < 0xffe00000) return true;
  return high === 0xffe00000 && uint(bytes, at + 4, 4) === 0;
}

/**
 * Checks that `bytes[start, end)` is exactly one MessagePack value before anything is allocated for it: every length is
 * covered by bytes, nothing follows, strings are UTF-8, keys are strings or integers and not `__proto__`, no value is
 * nested deeper than 100 levels, no type is unknown. The decoding library checks none of this in advance.
 *
 * @param bigAt - Receives the positions of integers that a number cannot represent exactly.
 * @returns What was found, as bits.
 */
export function scan(bytes: Uint8Array, start: number, end: number, bigAt?: number[]): number {
  let found = 0;
  let pos = start;
  let depth = 0;
  left[0] = 1;
  isMap[0] = 0;
  for (;;) {
    while (left[depth] === 0) {
      if (depth === 0) {
        if (pos === end) return found;
        throw decodeError('msgpack', `${end - pos} bytes after the value`, bytes, start, end);
      }
      depth--;
    }
    const isKey = isMap[depth] === 1 && (left[depth]! & 1) === 0;
    left[depth]!--;
    if (pos >= end) throw decodeError('msgpack', TOO_EARLY, bytes, start, end);
    const head = bytes[pos++]!;
    if (head < 0x80 || head >= 0xe0) continue;

    let kind: number;
    let size: number;
    if (head < 0xc0) {
      kind = head < 0x90 ? MAP : head < 0xa0 ? ARRAY : STRING;
      size = kind === STRING ? head & 0x1f : head & 0x0f;
    } else {
      const shape = SHAPES[head - 0xc0]!;
      kind = shape >> 8;
      size = shape & 0x1f;
      const prefix = (shape >> 5) & 0x7;
      if (prefix > 0) {
        if (end - pos < prefix) throw decodeError('msgpack', TOO_EARLY, bytes, start, end);
        size = uint(bytes, pos, prefix);
        pos += prefix;
      }
    }
    if (kind === MAP || kind === ARRAY) {
      const items = kind === MAP ? size * 2 : size;
      if (isKey) throw decodeError('msgpack', BAD_KEY, bytes, start, end);
      if (items > end - pos) throw decodeError('msgpack', `${items} items in ${end - pos} bytes`, bytes, start, end);
      if (items === 0) continue;
      if (++depth === MAX_DEPTH) {
        throw decodeError('msgpack', `a value nested deeper than ${MAX_DEPTH} levels`, bytes, start, end);
      }
      left[depth] = items;
      isMap[depth] = kind === MAP ? 1 : 0;
      continue;
    }
    if (kind === EXTENSION) size++;
    if (size > end - pos) throw decodeError('msgpack', TOO_EARLY, bytes, start, end);
    if (kind === STRING) {
      if (!isUtf8(bytes, pos, pos + size)) throw decodeError('msgpack', 'malformed UTF-8', bytes, start, end);
      if (isKey && size === PROTO.length && isProto(bytes, pos)) {
        throw decodeError('msgpack', 'the unsafe key __proto__', bytes, start, end);
      }
    } else if (kind === INTEGER) {
      if (size === 8 && isBig(bytes, pos, head === 0xd3)) {
        if (isKey) throw decodeError('msgpack', BAD_KEY, bytes, start, end);
        found |= HAS_BIG_INTEGER;
        bigAt?.push(pos - 1);
      }
    } else if (isKey) {
      throw decodeError('msgpack', BAD_KEY, bytes, start, end);
    } else if (kind === BINARY) {
      found |= HAS_BINARY;
    } else if (kind === EXTENSION) {
      const type = (bytes[pos]! << 24) >> 24;
      if (type !== EXT_TIMESTAMP && type !== EXT_BIGINT && type !== EXT_TYPED_ARRAY) {
        throw decodeError('msgpack', `the unknown extension type ${type}`, bytes, start, end);
      }
    } else if (kind === UNKNOWN) {
      throw decodeError('msgpack', 'the type byte 0xc1, which is never used', bytes, start, end);
    }
    pos += size;
  }
}
