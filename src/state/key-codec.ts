import type { Serde } from '../serdes/serde.ts';

/** A `Map` key that is equal exactly if the key bytes are equal. */
export type KeyId = string | number | bigint | boolean;

/** Prefix of identities made from bytes: valid UTF-8 text contains no lone surrogate. */
const BYTES = '\ud800';

/**
 * Identity of a key for in-memory maps: two keys are equal exactly if their bytes are, because stores, changelogs and
 * partitions only see bytes. If a serde guarantees that values differ exactly if their bytes do, a primitive key is its
 * own identity, which is free; other keys are identified by their bytes.
 */
export function keyId<K>(key: NonNullable<K>, serde: Serde<K>): KeyId {
  if (serde.keysByValue === true) {
    if (typeof key === 'string') return key.charCodeAt(0) === 0xd800 ? idOf(key, serde) : key;
    // A map treats 0 and −0 as one key.
    if (typeof key === 'number') return key === 0 && 1 / key < 0 ? negativeZeroId(serde) : key;
    if (typeof key === 'bigint' || typeof key === 'boolean') return key;
  }
  return idOf(key, serde);
}

/** The same identity, of a key whose bytes are known. */
export function keyIdOfBytes<K>(bytes: Uint8Array, serde: Serde<K>): KeyId {
  if (serde.keysByValue === true) {
    try {
      const key = serde.deserialize(bytes);
      if (key !== null && key !== undefined && compareBytes(serde.serialize(key), bytes) === 0)
        return keyId(key, serde);
    } catch {
      // Bytes that are no key are still themselves.
    }
  }
  return BYTES + bytesId(bytes);
}

function idOf<K>(key: NonNullable<K>, serde: Serde<K>): string {
  return BYTES + bytesId(serde.serialize(key));
}

/** The identity of −0: that of 0, unless the serde writes the two differently. */
function negativeZeroId<K>(serde: Serde<K>): KeyId {
  const id = idOf(-0 as NonNullable<K>, serde);
  return id === idOf(0 as NonNullable<K>, serde) ? 0 : id;
}

/** Bytes as a string of one character per byte: equal exactly if the bytes are. */
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
