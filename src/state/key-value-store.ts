import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { type CacheShare, entryBytes, NO_SHARE } from './cache-budget.ts';
import { unwritable } from './checked-stores.ts';
import { type KeyId, keyId } from './key-codec.ts';
import { mergedWith, sortedRange } from './merged-bytes.ts';
import { sortByBytes } from './sort-by-bytes.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { type ValueCodec, withKey } from './value-codec.ts';

/** A decoded entry of a key-value store. `value` is `undefined` if the key is known to have none. */
export interface Entry<V> {
  readonly keyBytes: Uint8Array;
  value: V | undefined;
  /** Event time of the value, in ms; −1 if there is none. */
  timestamp: number;
  /** Whether it has changed since the last commit. */
  dirty: boolean;
  /** Whether it was used again since the last eviction pass. */
  used: boolean;
  /** Approximate memory, in bytes, as of the last commit. */
  size: number;
}

/**
 * A typed key-value store with a write-back cache: entries are decoded once, changed in memory, and encoded once per
 * commit, however often they changed. If there are more than `cacheEntries`, clean entries are evicted.
 *
 * After a restart it has the state of the last commit.
 */
export class KeyValueStore<K, V> implements StateHolder {
  readonly name: string;
  readonly #bytes: ByteStore;
  readonly #keySerde: Serde<K>;
  readonly #codec: ValueCodec<V>;
  readonly #cacheEntries: number;
  readonly #present: (value: V) => unknown;
  readonly #share: CacheShare;
  readonly #entries = new Map<KeyId, Entry<V>>();
  #dirty: Entry<V>[] = [];
  /** Entries handed to the commit in progress. */
  #flight: Entry<V>[] = [];
  /** Whether every entry of the store is in the cache, so that a miss needs no read from the store. */
  #complete: boolean;

  /** @param present - Converts a stored value into its result, for reads from outside. */
  constructor(
    bytes: ByteStore,
    keySerde: Serde<K>,
    codec: ValueCodec<V>,
    cacheEntries: number,
    present: (value: V) => unknown = (value) => value,
  ) {
    this.name = bytes.id.store;
    this.#bytes = bytes;
    this.#keySerde = keySerde;
    this.#codec = codec;
    this.#cacheEntries = cacheEntries;
    this.#present = present;
    this.#share = bytes.cache ?? NO_SHARE;
    this.#complete = bytes.keys().next().done === true;
  }

  /** The entry of a key. It stays valid until the next commit; change it only with {@link put} and {@link delete}. */
  entry(key: NonNullable<K>): Entry<V> {
    const id = keyId(key, this.#keySerde);
    const cached = this.#entries.get(id);
    if (cached !== undefined) {
      cached.used = true;
      return cached;
    }
    const loaded = this.#load(this.#keySerde.serialize(key));
    this.#entries.set(id, loaded);
    return loaded;
  }

  get(key: NonNullable<K>): V | undefined {
    return this.entry(key).value;
  }

  /** Event time of the value of a key; −1 if there is none. */
  timestampOf(key: NonNullable<K>): number {
    return this.entry(key).timestamp;
  }

  /** @throws RecordError if changes are checked and this one cannot be stored; the entry is then unchanged. */
  put(entry: Entry<V>, value: V, timestamp: number): void {
    this.#bytes.check?.(entry.keyBytes, this.#codec.encode(value, timestamp));
    entry.value = value;
    entry.timestamp = timestamp;
    this.#touch(entry);
  }

  /**
   * Sets the value of a key, or deletes it, without reading the old one, which may be unreadable.
   *
   * @throws as {@link put}
   */
  set(key: NonNullable<K>, value: V | undefined, timestamp: number): void {
    const id = keyId(key, this.#keySerde);
    let entry = this.#entries.get(id);
    const keyBytes = entry?.keyBytes ?? this.#keySerde.serialize(key);
    if (value !== undefined) this.#bytes.check?.(keyBytes, this.#codec.encode(value, timestamp));
    if (entry === undefined) {
      entry = this.#newEntry(keyBytes);
      this.#entries.set(id, entry);
    }
    entry.value = value;
    entry.timestamp = value === undefined ? -1 : timestamp;
    this.#touch(entry);
  }

  delete(entry: Entry<V>): void {
    entry.value = undefined;
    entry.timestamp = -1;
    this.#touch(entry);
  }

  collect(into: StoreWrites[]): void {
    if (this.#dirty.length === 0) return;
    const keys: Uint8Array[] = [];
    const values: (Uint8Array | null)[] = [];
    // Write neighbouring entries together: in a large store each write would otherwise touch a different page.
    for (const entry of sortByBytes(this.#dirty)) {
      entry.dirty = false;
      keys.push(entry.keyBytes);
      const value = entry.value === undefined ? null : this.#encode(entry.value, entry.timestamp);
      values.push(value);
      this.#resize(entry, value?.length ?? 0);
    }
    this.#flight = this.#flight.length === 0 ? this.#dirty : [...this.#flight, ...this.#dirty];
    this.#dirty = [];
    into.push({ id: this.#bytes.id, keys, values });
  }

  committed(): void {
    this.#flight = [];
    let excess = this.#entries.size - this.#cacheEntries;
    let bytes = this.#share.excess();
    if (excess <= 0 && bytes <= 0) return;
    // The clock algorithm: entries used again since the last pass get a second chance at the end of the insertion
    // order.
    for (const [id, entry] of this.#entries) {
      if (excess <= 0 && bytes <= 0) break;
      if (entry.dirty) continue;
      this.#entries.delete(id);
      if (entry.used) {
        entry.used = false;
        this.#entries.set(id, entry);
      } else {
        excess -= 1;
        bytes -= entry.size;
        this.#share.add(-entry.size);
      }
    }
    this.#complete = false;
  }

  describe(): StoreSnapshot {
    return { name: this.name, cached: this.#entries.size, dirty: this.#dirty.length };
  }

  *entries(): IterableIterator<StoreEntry> {
    for (const [key, stored] of this.view().range()) {
      const { timestamp, value } = this.#codec.decode(stored);
      yield { key: this.#keySerde.deserialize(key), value: this.#present(value), timestamp };
    }
  }

  /** The current entries as bytes. They are encoded on read, so that reading changes nothing. */
  view(): ByteStore {
    return mergedWith<Entry<V>>(
      this.#bytes,
      {
        get: (key) => this.#entries.get(keyId(this.#keySerde.deserialize(key), this.#keySerde)),
        range: (from, to) =>
          sortedRange([...new Set([...this.#flight, ...this.#dirty])], ({ keyBytes }) => keyBytes, from, to),
      },
      ({ timestamp, value }) => (value === undefined ? null : this.#codec.encode(value, timestamp)),
    );
  }

  #load(keyBytes: Uint8Array): Entry<V> {
    const stored = this.#complete ? undefined : this.#bytes.get(keyBytes);
    if (stored === undefined) return this.#newEntry(keyBytes);
    try {
      const { value, timestamp } = this.#codec.decode(stored);
      const size = entryBytes(keyBytes.length, stored.length);
      this.#share.add(size);
      return { keyBytes, value, timestamp, dirty: false, used: false, size };
    } catch (error) {
      throw withKey(error, () => this.#keySerde.deserialize(keyBytes));
    }
  }

  #encode(value: V, timestamp: number): Uint8Array {
    try {
      return this.#codec.encode(value, timestamp);
    } catch (error) {
      throw unwritable(this.name, error);
    }
  }

  #newEntry(keyBytes: Uint8Array): Entry<V> {
    const size = entryBytes(keyBytes.length, 0);
    this.#share.add(size);
    return { keyBytes, value: undefined, timestamp: -1, dirty: false, used: false, size };
  }

  #resize(entry: Entry<V>, valueBytes: number): void {
    const size = entryBytes(entry.keyBytes.length, valueBytes);
    if (size === entry.size) return;
    this.#share.add(size - entry.size);
    entry.size = size;
  }

  #touch(entry: Entry<V>): void {
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.push(entry);
  }
}
