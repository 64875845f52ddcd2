import { decodeError, encodeError, typeName } from './refusal.ts';
import type { Serde } from './serde.ts';

// One shared scratch buffer: a view per record would cost more than copying eight bytes.
const scratch = new Uint8Array(8);
const view = new DataView(scratch.buffer);

function serialize(value: bigint): Uint8Array {
  if (typeof value !== 'bigint') throw encodeError('int64', typeName(value), 'give a bigint such as 5n or BigInt(5)');
  if (BigInt.asIntN(64, value) !== value) throw encodeError('int64', 'a bigint of more than 64 bits');
  view.setBigInt64(0, value);
  return scratch.slice();
}

function decodeRange(bytes: Uint8Array, start: number, end: number): bigint {
  if (end - start !== 8) throw decodeError('int64', 'anything but 8 bytes', bytes, start, end);
  for (let i = 0; i < 8; i++) scratch[i] = bytes[start + i]!;
  return view.getBigInt64(0);
}

const INT64: Serde<bigint> = Object.freeze({
  name: 'int64',
  keysByValue: true,
  serialize,
  deserialize: (bytes: Uint8Array) => decodeRange(bytes, 0, bytes.length),
  decodeRange,
});

/**
 * Integers from −2⁶³ to 2⁶³ − 1 in 8 bytes, big-endian, two's complement, as Kafka's LongSerializer writes them. They
 * are `bigint` in the program, because a `number` is exact only up to 2⁵³.
 *
 * @returns A serde for `bigint`. Writing fails with `ERR_ENCODE` for more than 64 bits, reading with `ERR_DECODE` for
 * other lengths.
 *
 * @example
 * ```ts
 * import { int64 } from 'millrace';
 *
 * console.log(int64().deserialize(int64().serialize(2n ** 62n)) === 2n ** 62n);
 * // => true
 * ```
 * @public
 */
export function int64(): Serde<bigint> {
  return INT64;
}
