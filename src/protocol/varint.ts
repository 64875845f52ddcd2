/**
 * Kafka's variable-length integers: zigzag, seven bits per byte, lowest bits first. Values beyond 32 bits are carried as
 * two 32-bit halves, because a BigInt per record would cost more than the rest of the record.
 */

const TWO_32 = 4_294_967_296;

/** Bytes that the zigzag varint of a 32-bit integer takes. */
export function varintSize(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0;
  if (raw < 0x80) return 1;
  if (raw < 0x4000) return 2;
  if (raw < 0x20_0000) return 3;
  return raw < 0x1000_0000 ? 4 : 5;
}

/** Writes a 32-bit integer as a zigzag varint; returns the position after it. The caller has made room. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let raw = ((value << 1) ^ (value >> 31)) >>> 0;
  let at = position;
  while (raw >= 0x80) {
    bytes[at++] = raw | 0x80;
    raw >>>= 7;
  }
  bytes[at++] = raw;
  return at;
}

/** Writes an integer within ±2^53 as a zigzag varint; returns the position after it. The caller has made room. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if (value === (value | 0)) return writeVarint(bytes, position, value);
  const high = Math.floor(value / TWO_32);
  const low = value >>> 0;
  const sign = high >> 31;
  let rawLow = ((low << 1) ^ sign) >>> 0;
  let rawHigh = (((high << 1) | (low >>> 31)) ^ sign) >>> 0;
  let at = position;
  while (rawHigh !== 0 || rawLow >= 0x80) {
    bytes[at++] = rawLow | 0x80;
    rawLow = ((rawLow >>> 7) | (rawHigh << 25)) >>> 0;
    rawHigh >>>= 7;
  }
  bytes[at++] = rawLow;
  return at;
}

const MASK = (1n << 64n) - 1n;

/** A zigzag varint of at most ten bytes, exactly. For the few that {@link VarintReader.readLong} had to round. */
export function exactVarlong(bytes: Uint8Array, position: number): bigint {
  let raw = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[position + i] ?? 0;
    raw |= BigInt(byte & 0x7f) << BigInt(7 * i);
    if (byte < 0x80) break;
  }
  raw &= MASK;
  return (raw >> 1n) ^ -(raw & 1n);
}

/** Reads varints one after the other. Overlong input makes `failed` true; reading past the end yields zero bits. */
export class VarintReader {
  position = 0;
  failed = false;

  /** A zigzag varint of at most five bytes. */
  readInt(bytes: Uint8Array): number {
    let at = this.position;
    let raw = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = bytes[at++] as number;
      raw |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) {
        this.position = at;
        return (raw >>> 1) ^ -(raw & 1);
      }
    }
    this.position = at;
    this.failed = true;
    return 0;
  }

  /** A zigzag varint of at most ten bytes. Beyond ±2^53 the result is rounded, for the caller to refuse. */
  readLong(bytes: Uint8Array): number {
    let at = this.position;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++] as number;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift === 28) high = bits >>> 4;
      else if (shift > 28) high |= bits << (shift - 32);
      if ((byte & 0x80) === 0) {
        this.position = at;
        const sign = -(low & 1);
        const unsignedLow = (((low >>> 1) | (high << 31)) ^ sign) >>> 0;
        return ((high >>> 1) ^ sign) * TWO_32 + unsignedLow;
      }
    }
    this.position = at;
    this.failed = true;
    return 0;
  }
}
