import { decodeError, encodeError, typeName } from './refusal.ts';
import type { Serde } from './serde.ts';

const scratch = new Uint8Array(8);
const view = new DataView(scratch.buffer);

function serialize(value: number): Uint8Array {
  if (typeof value !== 'number') throw encodeError('float64', typeName(value));
  view.setFloat64(0, value);
  return scratch.slice();
}

function decodeRange(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== 8) throw decodeError('float64', 'anything but 8 bytes', bytes, start, end);
  for (let i = 0; i < 8; i++) scratch[i] = bytes[start + i]!;
  return view.getFloat64(0);
}

const FLOAT64: Serde<number> = Object.freeze({
  name: 'float64',
  keysByValue: true,
  serialize,
  deserialize: (bytes: Uint8Array) => decodeRange(bytes, 0, bytes.length),
  decodeRange,
});

/**
 * Any `number` in 8 bytes, IEEE 754, big-endian, as Kafka's DoubleSerializer writes it. NaN, the infinities and −0 are
 * preserved.
 *
 * @returns A serde for `number`. Reading fails with `ERR_DECODE` for lengths other than 8.
 *
 * @example
 * ```ts
 * import { float64 } from 'millrace';
 *
 * console.log(float64().deserialize(float64().serialize(0.1)));
 * // => 0.1
 * ```
 * @public
 */
export function float64(): Serde<number> {
  return FLOAT64;
}
