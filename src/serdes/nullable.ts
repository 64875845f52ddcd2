import type { Serde } from './serde.ts';

/**
 * The same bytes, with null allowed: a null key or value is then allowed (in a table it deletes the row) instead of a
 * record error. The serde itself still never sees null.
 *
 * @param serde - How a value that is not null is written.
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
