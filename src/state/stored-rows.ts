import type { ByteStore, StoreWrites } from './byte-store.ts';
import { entryBytes } from './cache-budget.ts';
import { unwritable } from './checked-stores.ts';
import { mergedWith } from './merged-bytes.ts';
import { OrderedBytes } from './ordered-bytes.ts';
import { type CachedRow, RowCache } from './row-cache.ts';
import { sortByBytes } from './sort-by-bytes.ts';
import { compareBytes } from './sorted-keys.ts';
import { StepTime, TIME_KEY, type TimeLimit } from './step-time.ts';
import type { ValueCodec } from './value-codec.ts';

/** A row of a store that is ordered by its key bytes. */
export interface StoredRow<V> {
  readonly keyBytes: Uint8Array;
  readonly value: V;
  readonly timestamp: number;
}

interface Row<V> extends CachedRow {
  keyBytes: Uint8Array;
  value: V | undefined;
  timestamp: number;
}

/**
 * Rows in order of their key bytes, with a write-back cache: rows written since the last commit and recently used rows
 * are in memory, above the committed rows. Ranges read both as one. The meaning of the keys is up to the stores above.
 */
export class StoredRows<V> {
  /** The time of the step, if this store keeps it. */
  time: StepTime | undefined;
  readonly bytes: ByteStore;
  readonly #codec: ValueCodec<V>;
  readonly #rows = new OrderedBytes<Row<V>>();
  readonly #cache: RowCache<Row<V>>;

  constructor(bytes: ByteStore, codec: ValueCodec<V>, cacheEntries: number) {
    this.bytes = bytes;
    this.#codec = codec;
    this.#cache = new RowCache(bytes, cacheEntries, ({ keyBytes }) => this.#rows.delete(keyBytes));
  }

  /** Keeps the time of the step with these rows. No row's key is {@link TIME_KEY}. */
  keepTime(limit: TimeLimit): StepTime {
    this.time ??= new StepTime(limit, this.bytes.get(TIME_KEY));
    return this.time;
  }

  get(keyBytes: Uint8Array): StoredRow<V> | undefined {
    const row = this.#rows.get(keyBytes) ?? this.#load(keyBytes);
    return row?.value === undefined ? undefined : (row as StoredRow<V>);
  }

  /** Sets a row. @throws RecordError if changes are checked and this one cannot be stored. */
  put(keyBytes: Uint8Array, value: V, timestamp: number): void {
    this.bytes.check?.(keyBytes, this.#codec.encode(value, timestamp));
    const row = this.#row(keyBytes);
    row.value = value;
    row.timestamp = timestamp;
    this.#cache.touch(row);
  }

  delete(keyBytes: Uint8Array): void {
    const known = this.#rows.get(keyBytes);
    // A row that was never committed leaves nothing behind: many rows are added and deleted between two commits.
    if (known === undefined ? this.#cache.complete : !known.stored) {
      if (known === undefined) return;
      known.value = undefined;
      this.#cache.forget(known);
      return;
    }
    const row = known ?? this.#row(keyBytes);
    row.value = undefined;
    row.timestamp = -1;
    this.#cache.touch(row);
  }

  /** A row is written under another key. @throws as {@link put} */
  move(from: Uint8Array, to: Uint8Array, value: V, timestamp: number): void {
    const row = this.#rows.get(from);
    // What no commit has seen can take the key as it is, where that leaves the order.
    if (row?.value !== undefined && !row.stored) {
      this.bytes.check?.(to, this.#codec.encode(value, timestamp));
      if (this.#rows.rekey(from, to)) {
        row.keyBytes = to;
        row.value = value;
        row.timestamp = timestamp;
        return;
      }
    }
    this.put(to, value, timestamp);
    if (compareBytes(from, to) !== 0) this.delete(from);
  }

  /** The first rows with `from <= key < to`, at most so many, as they are now: to be read before a row is written. */
  list(from: Uint8Array, to: Uint8Array, most: number = Number.POSITIVE_INFINITY): readonly StoredRow<V>[] {
    if (this.#cache.complete) return this.#rows.list(from, to, most, isThere) as unknown as StoredRow<V>[];
    const rows: StoredRow<V>[] = [];
    for (const row of this.range(from, to)) if (rows.push(row) >= most) break;
    return rows;
  }

  /**
   * The rows with `from <= key < to`. Rows written during the iteration, after the current one, may or may not be
   * included; deleted rows are not.
   */
  *range(from?: Uint8Array, to?: Uint8Array): Generator<StoredRow<V>> {
    const committed = this.#cache.complete ? undefined : this.bytes.range(from, to);
    const changed = this.#rows.range(from, to);
    let below = committed?.next();
    let above = changed.next();
    while (above.done !== true || (below !== undefined && below.done !== true)) {
      if (below !== undefined && below.done !== true) {
        const [key, stored] = below.value;
        const order = above.done === true ? -1 : compareBytes(key, above.value[0]);
        if (order <= 0) below = committed?.next();
        // Rows that were added after the look-ahead count too.
        if (order < 0) {
          const row = this.#rows.get(key);
          if (row === undefined && !isTime(key)) yield { keyBytes: key, ...this.#codec.decode(stored) };
          else if (row?.value !== undefined) yield row as StoredRow<V>;
        }
        if (order <= 0) continue;
      }
      if (above.done === true) continue;
      const [, row] = above.value;
      if (row.value !== undefined) yield row as StoredRow<V>;
      above = changed.next();
    }
  }

  /** The keys of such a range, without reading values. */
  *keys(from?: Uint8Array, to?: Uint8Array): Generator<Uint8Array> {
    const committed = this.#cache.complete ? undefined : this.bytes.keys(from, to);
    const changed = this.#rows.range(from, to);
    let below = committed?.next();
    let above = changed.next();
    while (above.done !== true || (below !== undefined && below.done !== true)) {
      if (below !== undefined && below.done !== true) {
        const key = below.value;
        const order = above.done === true ? -1 : compareBytes(key, above.value[0]);
        if (order <= 0) below = committed?.next();
        if (order < 0) {
          const row = this.#rows.get(key);
          if (row === undefined ? !isTime(key) : row.value !== undefined) yield key;
        }
        if (order <= 0) continue;
      }
      if (above.done === true) continue;
      const [key, row] = above.value;
      if (row.value !== undefined) yield key;
      above = changed.next();
    }
  }

  collect(into: StoreWrites[]): void {
    const keys: Uint8Array[] = [];
    const values: (Uint8Array | null)[] = [];
    // Write neighbouring rows together.
    for (const row of sortByBytes(this.#cache.changed())) {
      keys.push(row.keyBytes);
      const value = row.value === undefined ? null : this.#encode(row.value, row.timestamp);
      values.push(value);
      this.#cache.writes(row, row.keyBytes.length, value?.length ?? 0);
    }
    this.#cache.collected();
    this.time?.collect(keys, values);
    if (keys.length > 0) into.push({ id: this.bytes.id, keys, values });
  }

  committed(): void {
    this.#cache.committed();
  }

  /** Whether every row is in memory. */
  get complete(): boolean {
    return this.#cache.complete;
  }

  /** How many rows the cache has let go. */
  get evicted(): number {
    return this.#cache.evicted;
  }

  get cached(): number {
    return this.#cache.size;
  }

  get dirty(): number {
    return this.#cache.dirty;
  }

  /** The current rows as bytes. They are encoded on read, so that reading changes nothing. */
  view(): ByteStore {
    return mergedWith(this.bytes, this.#rows, ({ dirty, timestamp, value }) => {
      if (value === undefined) return null;
      return dirty || this.#cache.isWriting ? this.#codec.encode(value, timestamp) : undefined;
    });
  }

  #row(keyBytes: Uint8Array): Row<V> {
    return this.#rows.ensure(keyBytes, this.#newRow);
  }

  readonly #newRow = (keyBytes: Uint8Array): Row<V> => {
    const size = entryBytes(keyBytes.length, 0);
    this.#cache.added(size);
    const stored = !this.#cache.complete;
    return { keyBytes, value: undefined, timestamp: -1, dirty: false, stored, queued: false, here: true, size };
  };

  #load(keyBytes: Uint8Array): Row<V> | undefined {
    const stored = this.#cache.complete ? undefined : this.bytes.get(keyBytes);
    if (stored === undefined) return undefined;
    const size = entryBytes(keyBytes.length, stored.length);
    const { timestamp, value } = this.#codec.decode(stored);
    const row = { keyBytes, value, timestamp, dirty: false, stored: true, queued: false, here: true, size };
    this.#rows.set(keyBytes, row);
    this.#cache.added(size);
    this.#cache.loaded(row);
    return row;
  }

  #encode(value: V, timestamp: number): Uint8Array {
    try {
      return this.#codec.encode(value, timestamp);
    } catch (error) {
      throw unwritable(this.bytes.id.store, error);
    }
  }
}

/** A row that is there, and not only that it was deleted. */
const isThere = ({ value }: Row<unknown>): boolean => value !== undefined;

function isTime(key: Uint8Array): boolean {
  return key.length === 1 && key[0] === TIME_KEY[0];
}
