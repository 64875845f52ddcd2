import type { ByteStore, StoreWrites } from './byte-store.ts';

/**
 * The entries of a store whose keys start with a prefix, as a separate store. @param prefix - Its last byte is below
 * 255.
 */
export function prefixed(bytes: ByteStore, prefix: Uint8Array): ByteStore {
  const last = prefix.slice();
  last[last.length - 1] = (last.at(-1) as number) + 1;
  const end = (to?: Uint8Array): Uint8Array => (to === undefined ? last : joined(prefix, to));
  const { check } = bytes;
  return {
    id: bytes.id,
    get: (key) => bytes.get(joined(prefix, key)),
    *range(from = NOTHING, to) {
      for (const [key, value] of bytes.range(joined(prefix, from), end(to))) yield [key.slice(prefix.length), value];
    },
    *keys(from = NOTHING, to) {
      for (const key of bytes.keys(joined(prefix, from), end(to))) yield key.slice(prefix.length);
    },
    ...(check === undefined ? {} : { check: (key, value) => check(joined(prefix, key), value) }),
  };
}

/** Translates writes of such a store into writes of the store that contains it. */
export function withPrefix(
  prefix: Uint8Array,
  { keys, values }: Pick<StoreWrites, 'keys' | 'values'>,
  into: Changes,
): void {
  for (const [at, key] of keys.entries()) {
    into.keys.push(joined(prefix, key));
    into.values.push(values[at] ?? null);
  }
}

/** Entries to write to a store. */
export interface Changes {
  readonly keys: Uint8Array[];
  readonly values: (Uint8Array | null)[];
}

const NOTHING = new Uint8Array(0);

function joined(prefix: Uint8Array, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(prefix.length + key.length);
  bytes.set(prefix);
  bytes.set(key, prefix.length);
  return bytes;
}
