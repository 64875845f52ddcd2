import type { Serde } from '../serdes/serde.ts';

/** What a `Map` can tell apart the way key bytes do. */
export type KeyId = string | number | bigint | boolean;

/**
 * Identity of a key for in-memory maps. Primitive keys are their own identity, which costs nothing per record; other keys
 * (objects, byte arrays) are known by their bytes.
 */
export function keyId<K>(key: NonNullable<K>, serde: Serde<K>): KeyId {
  switch (typeof key) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return key;
    default:
      // A serde such as json() has texts among its keys too. No text that can be written holds a lone surrogate.
      return `\ud800${bytesId(serde.serialize(key))}`;
  }
}

/** Bytes as a string of one character per byte: equal exactly when the bytes are. */
export function bytesId(bytes: Uint8Array): string {
  let id = '';
  for (let at = 0; at < bytes.length; at += 1) id += String.fromCharCode(bytes[at] as number);
  return id;
}

/** Unsigned byte order, shorter first: the order of stores and of rows that close together. */
export function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const shared = Math.min(left.length, right.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = (left[at] as number) - (right[at] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
