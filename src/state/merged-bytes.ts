import type { ByteStore } from './byte-store.ts';
import type { OrderedBytes } from './ordered-bytes.ts';
import { compareBytes } from './sorted-keys.ts';

/** In-memory content that overlays a store. */
export type Above<T> = Pick<OrderedBytes<T>, 'get' | 'range'>;

type Entry = readonly [key: Uint8Array, value: Uint8Array];

/**
 * Reads a byte store and the in-memory content above it as one.
 *
 * @param above - The in-memory content, by key bytes.
 * @param bytesOf - Returns the bytes of an item; `null` if it has been deleted, `undefined` if the store has the same.
 */
export function mergedWith<T>(
  store: ByteStore,
  above: Above<T>,
  bytesOf: (item: T) => Uint8Array | null | undefined,
): ByteStore {
  const { id } = store;
  function* range(from?: Uint8Array, to?: Uint8Array): IterableIterator<Entry> {
    const memory = above.range(from, to);
    let upper = memory.next();
    for (const entry of store.range(from, to)) {
      let order = 1;
      while (upper.done !== true && (order = compareBytes(upper.value[0], entry[0])) < 0) {
        const [key, item] = upper.value;
        const value = bytesOf(item);
        if (value !== null && value !== undefined) yield [key.slice(), value];
        upper = memory.next();
      }
      if (upper.done === true || order !== 0) {
        yield entry;
        continue;
      }
      const value = bytesOf(upper.value[1]);
      if (value !== null) yield value === undefined ? entry : [entry[0], value];
      upper = memory.next();
    }
    for (; upper.done !== true; upper = memory.next()) {
      const [key, item] = upper.value;
      const value = bytesOf(item);
      if (value !== null && value !== undefined) yield [key.slice(), value];
    }
  }
  return {
    id,
    get(key) {
      const item = above.get(key);
      const value = item === undefined ? undefined : bytesOf(item);
      return value === undefined ? store.get(key) : (value ?? undefined);
    },
    range,
    *keys(from, to) {
      for (const [key] of range(from, to)) yield key;
    },
  };
}

/** The entries of a store whose keys satisfy a predicate. */
export function filtered(store: ByteStore, passes: (key: Uint8Array) => boolean): ByteStore {
  return {
    id: store.id,
    get: (key) => (passes(key) ? store.get(key) : undefined),
    *range(from, to) {
      for (const entry of store.range(from, to)) if (passes(entry[0])) yield entry;
    },
    *keys(from, to) {
      for (const key of store.keys(from, to)) if (passes(key)) yield key;
    },
  };
}

/** Items with `from <= key < to`, in the order of their keys. */
export function* sortedRange<T>(
  items: readonly T[],
  keyOf: (item: T) => Uint8Array,
  from?: Uint8Array,
  to?: Uint8Array,
): IterableIterator<readonly [Uint8Array, T]> {
  const found: (readonly [Uint8Array, T])[] = [];
  for (const item of items) {
    const key = keyOf(item);
    if (from !== undefined && compareBytes(key, from) < 0) continue;
    if (to === undefined || compareBytes(key, to) < 0) found.push([key, item]);
  }
  yield* found.sort(([left], [right]) => compareBytes(left, right));
}
