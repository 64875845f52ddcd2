import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/**
 * Keys of the form `[key][time][number]`, in the order of these parts. The key comes first and may have any length, so
 * its end is marked by two zeros, and a zero inside it is followed by 0xff.
 */
const ZERO = 0;
const INSIDE = 0xff;
const END_BYTES = 2;

/** The common prefix of all store keys of one key. */
export function timedPrefix(key: Uint8Array, room = 0): Uint8Array {
  let zeros = 0;
  for (let at = 0; at < key.length; at += 1) if (key[at] === ZERO) zeros += 1;
  const bytes = new Uint8Array(key.length + zeros + END_BYTES + room);
  let to = 0;
  for (let at = 0; at < key.length; at += 1) {
    bytes[to++] = key[at] as number;
    if (key[at] === ZERO) bytes[to++] = INSIDE;
  }
  return bytes;
}

/** The first store key at a time or later. */
export function timedFrom(key: Uint8Array, time: number): Uint8Array {
  const bytes = timedPrefix(key, NUMBER_BYTES);
  writeNumber(bytes, bytes.length - NUMBER_BYTES, time);
  return bytes;
}

export function timedKey(key: Uint8Array, time: number, number: number): Uint8Array {
  const bytes = timedPrefix(key, 2 * NUMBER_BYTES);
  writeNumber(bytes, bytes.length - 2 * NUMBER_BYTES, time);
  writeNumber(bytes, bytes.length - NUMBER_BYTES, number);
  return bytes;
}

/** A bound after all store keys of one key: times are below 2^53. */
export function timedEnd(key: Uint8Array): Uint8Array {
  const bytes = timedPrefix(key, 1);
  bytes[bytes.length - 1] = 0xff;
  return bytes;
}

export interface TimedParts {
  readonly key: Uint8Array;
  readonly time: number;
  readonly number: number;
}

/** Only the time. */
export function timedTime(bytes: Uint8Array): number {
  return readNumber(bytes, bytes.length - 2 * NUMBER_BYTES);
}

/** The number alone. */
export function timedNumber(bytes: Uint8Array): number {
  return readNumber(bytes, bytes.length - NUMBER_BYTES);
}

/** Length of the prefix that a store key or a bound begins with; 0 if its key does not end. */
export function prefixLength(bytes: Uint8Array): number {
  for (let at = 0; at + 1 < bytes.length; at += 1) {
    if (bytes[at] !== ZERO) continue;
    if (bytes[at + 1] === ZERO) return at + END_BYTES;
    at += 1;
  }
  return 0;
}

/** The key alone, of a store key or a bound whose key ends. */
export function timedKeyOf(bytes: Uint8Array): Uint8Array {
  const end = prefixLength(bytes) - END_BYTES;
  const key = new Uint8Array(Math.max(0, end));
  let to = 0;
  for (let at = 0; at < end; at += 1) {
    key[to++] = bytes[at] as number;
    if (bytes[at] === ZERO) at += 1;
  }
  return key.subarray(0, to);
}

export function timedParts(bytes: Uint8Array): TimedParts {
  return { key: timedKeyOf(bytes), time: timedTime(bytes), number: timedNumber(bytes) };
}
