import type { ByteStore, StoreBackend, StoreId, StoreWrites } from './byte-store.ts';
import { PackedBytes } from './packed-bytes.ts';

const nameOf = (id: StoreId): string => JSON.stringify([id.applicationId, id.store, id.partition]);

/**
 * Stores in the memory of the process, for tests and for pipelines whose state may be lost. Entries live as long as the
 * backend; a second `open` of the same store sees the same entries.
 *
 * @returns An empty backend. It needs neither files nor Node, so it also runs in a browser.
 * @public
 */
export function memoryStores(): StoreBackend {
  const stores = new Map<string, { readonly id: StoreId; readonly entries: PackedBytes }>();
  // Writers reuse their id object: finding the entries by object is cheaper at each commit than by text.
  const known = new WeakMap<StoreId, PackedBytes>();
  const entriesOf = (id: StoreId): PackedBytes => {
    const kept = known.get(id);
    if (kept !== undefined) return kept;
    const name = nameOf(id);
    let found = stores.get(name);
    if (found === undefined) {
      found = {
        id: { applicationId: id.applicationId, store: id.store, partition: id.partition },
        entries: new PackedBytes(),
      };
      stores.set(name, found);
    }
    known.set(id, found.entries);
    return found.entries;
  };
  return {
    open: (id) => memoryStore(id, entriesOf(id)),
    list: (applicationId) => {
      const ids: StoreId[] = [];
      for (const { id, entries } of stores.values()) {
        if (id.applicationId === applicationId && entries.size > 0) ids.push(id);
      }
      return ids;
    },
    check,
    apply: (writes) => {
      check(writes);
      for (const write of writes) applyWrites(entriesOf(write.id), write);
    },
  };
}

function check(writes: readonly StoreWrites[]): void {
  for (const { keys, values } of writes) {
    if (keys.length !== values.length) throw new RangeError('StoreWrites: keys and values differ in length');
  }
}

function applyWrites(entries: PackedBytes, { keys, values }: StoreWrites): void {
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const value = values[i]!;
    // Copied in both directions: writers reuse their encode buffers, and readers own what they get.
    if (value === null) entries.delete(key);
    else entries.set(key, value);
  }
}

function memoryStore(id: StoreId, entries: PackedBytes): ByteStore {
  return {
    id,
    get: (key) => entries.get(key),
    range: (from, to) => entries.range(from, to),
    keys: (from, to) => entries.keys(from, to),
  };
}
