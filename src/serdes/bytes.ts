import { encodeError, typeName } from './refusal.ts';
import type { Serde } from './serde.ts';

function decodeRange(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = new Uint8Array(end - start);
  if (copy.length > 48) copy.set(bytes.subarray(start, end));
  else for (let i = start; i < end; i++) copy[i - start] = bytes[i]!;
  return copy;
}

function serialize(value: Uint8Array): Uint8Array {
  if (!(value instanceof Uint8Array)) throw encodeError('bytes', typeName(value), 'give a Uint8Array');
  return value;
}

const BYTES: Serde<Uint8Array> = Object.freeze({
  name: 'bytes',
  serialize,
  deserialize: (bytes: Uint8Array) => decodeRange(bytes, 0, bytes.length),
  decodeRange,
});

/**
 * Unchanged bytes. A value that is read is a copy that belongs to the program; don't modify a value that is written
 * until the write is acknowledged.
 *
 * @returns A serde for `Uint8Array`.
 *
 * @example
 * ```ts
 * import { bytes } from 'millrace';
 *
 * console.log(bytes().deserialize(new Uint8Array([1, 2, 3])).join(' '));
 * // => 1 2 3
 * ```
 * @public
 */
export function bytes(): Serde<Uint8Array> {
  return BYTES;
}
