import type { Serde } from '../serdes/serde.ts';

/**
 * The serde of keys, with the bytes of the last key that it wrote: a record that asks several stores for its key has it
 * written once. Objects can be changed between, so they are written each time.
 */
export function rememberingKeys<K>(serde: Serde<K>): Serde<K> {
  let last: unknown;
  let bytes: Uint8Array | undefined;
  return {
    name: serde.name,
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
