/**
 * Integers up to 2^53 − 1 as eight bytes whose byte order is their numeric order. Negative one, "unknown", is the largest
 * pattern and never a key.
 */
export const NUMBER_BYTES = 8;

const HIGH = 0x1_0000_0000;

export function writeNumber(into: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / HIGH);
  const low = value >>> 0;
  into[at] = high >>> 24;
  into[at + 1] = high >>> 16;
  into[at + 2] = high >>> 8;
  into[at + 3] = high;
  into[at + 4] = low >>> 24;
  into[at + 5] = low >>> 16;
  into[at + 6] = low >>> 8;
  into[at + 7] = low;
}

export function readNumber(from: Uint8Array, at: number): number {
  const byte = (index: number): number => from[at + index] as number;
  const high = (byte(0) << 24) | (byte(1) << 16) | (byte(2) << 8) | byte(3) | 0;
  const low = ((byte(4) << 24) | (byte(5) << 16) | (byte(6) << 8) | byte(7)) >>> 0;
  return high * HIGH + low;
}
