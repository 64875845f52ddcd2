import type { Serde } from '../serdes/serde.ts';

/**
 * A serde of keys that remembers the bytes of the last key, so that a record that uses several stores encodes its key
 * once. Objects may be modified in between, so they are always encoded.
 */
export function rememberingKeys<K>(serde: Serde<K>): Serde<K> {
  let last: unknown;
  let bytes: Uint8Array | undefined;
  return {
    name: serde.name,
    ...(serde.keysByValue === undefined ? {} : { keysByValue: serde.keysByValue }),
    deserialize: (stored) => serde.deserialize(stored),
    serialize(key) {
      if (typeof key === 'object') return serde.serialize(key);
      // 0 and −0 may be written differently.
      if (bytes === undefined || key !== last || key === 0) {
        bytes = serde.serialize(key);
        last = key;
      }
      return bytes;
    },
  };
}
