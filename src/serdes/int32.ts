import { decodeError, encodeError, typeName } from './refusal.ts';
import type { Serde } from './serde.ts';

function serialize(value: number): Uint8Array {
  if ((value | 0) !== value) {
    const what = typeof value === 'number' ? `${value}, which is not a 32-bit integer` : typeName(value);
    throw encodeError('int32', what);
  }
  const bytes = new Uint8Array(4);
  bytes[0] = value >>> 24;
  bytes[1] = value >>> 16;
  bytes[2] = value >>> 8;
  bytes[3] = value;
  return bytes;
}

function decodeRange(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 4) throw decodeError('int32', 'anything but 4 bytes', bytes, start, end);
  return (bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
}

const INT32: Serde<number> = Object.freeze({
  name: 'int32',
  keysByValue: true,
  serialize,
  deserialize: (bytes: Uint8Array) => decodeRange(bytes, 0, bytes.length),
  decodeRange,
});

/**
 * Integers from −2³¹ to 2³¹ − 1 in 4 bytes, big-endian, two's complement, as Kafka's IntegerSerializer writes them. −0
 * is written as 0.
 *
 * @returns A serde for `number`. Writing fails with `ERR_ENCODE` for fractions and larger numbers, reading with
 * `ERR_DECODE` for other lengths.
 *
 * @example
 * ```ts
 * import { int32 } from 'millrace';
 *
 * console.log(int32().serialize(-2).join(' '));
 * // => 255 255 255 254
 * ```
 * @public
 */
export function int32(): Serde<number> {
  return INT32;
}
