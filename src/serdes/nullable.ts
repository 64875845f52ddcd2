import type { Serde } from './serde.ts';

/**
 * The same format, with null allowed: a null key or value is then valid (in a table it deletes the row) instead of a
 * record error. The serde itself never sees null.
 *
 * @param serde - The serde for values other than null.
 * @returns A serde of `T | null`.
 *
 * @example
 * ```ts
 * import { nullable, string } from 'millrace';
 *
 * const name = nullable(string());
 * console.log(name.nullable, name.deserialize(name.serialize('ada')));
 * // => true ada
 * ```
 * @public
 */
export function nullable<T>(serde: Serde<T>): Serde<T | null> {
  const { toText, decodeRange, keysByValue = false } = serde;
  return {
    name: serde.name,
    nullable: true,
    keysByValue,
    serialize: (value: NonNullable<T>) => serde.serialize(value),
    deserialize: (bytes: Uint8Array) => serde.deserialize(bytes),
    // Bound, because a serde may be a class.
    ...(toText === undefined ? {} : { toText: toText.bind(serde) }),
    ...(decodeRange === undefined ? {} : { decodeRange: decodeRange.bind(serde) }),
  };
}
