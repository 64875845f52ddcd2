import type { ByteStore, StoreWrites } from './byte-store.ts';
import { type CacheShare, entryBytes, NO_SHARE } from './cache-budget.ts';
import { unwritable } from './checked-stores.ts';
import { mergedWith } from './merged-bytes.ts';
import { OrderedBytes } from './ordered-bytes.ts';
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

interface Row<V> {
  keyBytes: Uint8Array;
  /** `undefined` if the row was deleted. */
  value: V | undefined;
  timestamp: number;
  /** Whether it has changed since the last commit. */
  dirty: boolean;
  /** Whether the byte store may have it, so that removing it requires a write. */
  stored: boolean;
  /** Whether it is queued for eviction. */
  queued: boolean;
  /** Approximate memory, in bytes, as of the last commit. */
  size: number;
}

/** How many stale queue entries are tolerated before a clean-up. */
const SPARE = 1024;

/**
 * Rows in order of their key bytes, with a write-back cache: rows written since the last commit and recently used rows
 * are in memory, above the committed rows. Ranges read both as one. The meaning of the keys is up to the stores above.
 */
export class StoredRows<V> {
  /** The time of the step, if this store keeps it. */
  time: StepTime | undefined;
  readonly bytes: ByteStore;
  readonly #codec: ValueCodec<V>;
  readonly #cacheEntries: number;
  readonly #share: CacheShare;
  readonly #rows = new OrderedBytes<Row<V>>();
  #dirty: Row<V>[] = [];
  /** Rows handed to the commit in progress. */
  #flight: Row<V>[] = [];
  /** Rows that may be evicted, the longest queued first. */
  #clean: Row<V>[] = [];
  /** Whether every row is in memory, so that a miss needs no read from the store. */
  #complete: boolean;
  /** Rows that the cache has let go. */
  #evicted = 0;

  constructor(bytes: ByteStore, codec: ValueCodec<V>, cacheEntries: number) {
    this.bytes = bytes;
    this.#codec = codec;
    this.#cacheEntries = cacheEntries;
    this.#share = bytes.cache ?? NO_SHARE;
    this.#complete = bytes.keys().next().done === true;
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
    this.#touch(row);
  }

  delete(keyBytes: Uint8Array): void {
    const known = this.#rows.get(keyBytes);
    // A row that was never committed leaves nothing behind: many rows are added and deleted between two commits.
    if (known === undefined ? this.#complete : !known.stored) {
      if (known === undefined) return;
      known.value = undefined;
      this.#forget(known);
      return;
    }
    const row = known ?? this.#row(keyBytes);
    row.value = undefined;
    row.timestamp = -1;
    this.#touch(row);
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
    if (this.#complete) return this.#rows.list(from, to, most, isThere) as unknown as StoredRow<V>[];
    const rows: StoredRow<V>[] = [];
    for (const row of this.range(from, to)) if (rows.push(row) >= most) break;
    return rows;
  }

  /**
   * The rows with `from <= key < to`. Rows written during the iteration, after the current one, may or may not be
   * included; deleted rows are not.
   */
  *range(from?: Uint8Array, to?: Uint8Array): Generator<StoredRow<V>> {
    const committed = this.#complete ? undefined : this.bytes.range(from, to);
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
    const committed = this.#complete ? undefined : this.bytes.keys(from, to);
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
    for (const row of sortByBytes(this.#dirty.filter(isWritten))) {
      row.dirty = false;
      keys.push(row.keyBytes);
      const value = row.value === undefined ? null : this.#encode(row.value, row.timestamp);
      values.push(value);
      const size = entryBytes(row.keyBytes.length, value?.length ?? 0);
      this.#share.add(size - row.size);
      row.size = size;
      row.stored = true;
      this.#flight.push(row);
    }
    this.#dirty = [];
    this.time?.collect(keys, values);
    if (keys.length > 0) into.push({ id: this.bytes.id, keys, values });
  }

  committed(): void {
    for (const row of this.#flight) {
      if (row.dirty) continue;
      if (row.value === undefined) this.#forget(row);
      else this.#queue(row);
    }
    this.#flight = [];
    if (this.#clean.length > 2 * this.#rows.size + SPARE) this.#clean = this.#clean.filter((row) => this.#isHere(row));
    let excess = this.#rows.size - this.#cacheEntries;
    let bytes = this.#share.excess();
    let at = 0;
    for (; at < this.#clean.length && (excess > 0 || bytes > 0); at += 1) {
      const row = this.#clean[at] as Row<V>;
      row.queued = false;
      // If it has changed since, the next commit queues it again.
      if (row.dirty || !this.#isHere(row)) continue;
      this.#forget(row);
      this.#complete = false;
      this.#evicted += 1;
      excess -= 1;
      bytes -= row.size;
    }
    if (at > 0) this.#clean = this.#clean.slice(at);
  }

  /** Whether every row is in memory. */
  get complete(): boolean {
    return this.#complete;
  }

  /** How many rows the cache has let go. */
  get evicted(): number {
    return this.#evicted;
  }

  get cached(): number {
    return this.#rows.size;
  }

  get dirty(): number {
    return this.#dirty.length;
  }

  /** The current rows as bytes. They are encoded on read, so that reading changes nothing. */
  view(): ByteStore {
    return mergedWith(this.bytes, this.#rows, ({ dirty, timestamp, value }) => {
      if (value === undefined) return null;
      return dirty || this.#flight.length > 0 ? this.#codec.encode(value, timestamp) : undefined;
    });
  }

  #row(keyBytes: Uint8Array): Row<V> {
    return this.#rows.ensure(keyBytes, this.#newRow);
  }

  readonly #newRow = (keyBytes: Uint8Array): Row<V> => {
    const size = entryBytes(keyBytes.length, 0);
    this.#share.add(size);
    return { keyBytes, value: undefined, timestamp: -1, dirty: false, stored: !this.#complete, queued: false, size };
  };

  #load(keyBytes: Uint8Array): Row<V> | undefined {
    const stored = this.#complete ? undefined : this.bytes.get(keyBytes);
    if (stored === undefined) return undefined;
    const size = entryBytes(keyBytes.length, stored.length);
    const row: Row<V> = { keyBytes, ...this.#codec.decode(stored), dirty: false, stored: true, queued: false, size };
    this.#rows.set(keyBytes, row);
    this.#share.add(size);
    this.#queue(row);
    return row;
  }

  #forget(row: Row<V>): void {
    this.#rows.delete(row.keyBytes);
    this.#share.add(-row.size);
  }

  #queue(row: Row<V>): void {
    if (row.queued) return;
    row.queued = true;
    this.#clean.push(row);
  }

  /** Whether a queued row is still in memory and has not been deleted. */
  #isHere(row: Row<V>): boolean {
    return this.#rows.get(row.keyBytes) === row;
  }

  #touch(row: Row<V>): void {
    if (row.dirty) return;
    row.dirty = true;
    this.#dirty.push(row);
    // Rows that come and go between two commits are not kept for the second one.
    if (this.#dirty.length > 2 * this.#rows.size + SPARE) this.#dirty = this.#dirty.filter(isWritten);
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

/** Whether a commit has to do with a row that has changed: it is there, or the store may have it. */
const isWritten = ({ stored, value }: Row<unknown>): boolean => value !== undefined || stored;

function isTime(key: Uint8Array): boolean {
  return key.length === 1 && key[0] === TIME_KEY[0];
}
