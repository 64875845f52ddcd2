import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { entryBytes } from './cache-budget.ts';
import { unwritable } from './checked-stores.ts';
import { isTime, KeyHistories } from './key-histories.ts';
import { HistoryRow, type KeyHistory } from './key-history.ts';
import { mergedWith } from './merged-bytes.ts';
import { NUMBER_BYTES } from './numbers.ts';
import { RowCache } from './row-cache.ts';
import { sortByBytes } from './sort-by-bytes.ts';
import { compareBytes } from './sorted-keys.ts';
import { StepTime, TIME_KEY, type TimeLimit } from './step-time.ts';
import { timedEnd, timedFrom, timedKey, timedNumber, timedParts, timedTime } from './timed-keys.ts';
import type { ValueCodec } from './value-codec.ts';

/** A row of a key. */
export interface RowAt<V> {
  readonly time: number;
  readonly number: number;
  readonly value: V;
}

/** A place of a row: its key in the store, and the row in memory or the entry of the byte store. */
interface Found<V, E> {
  readonly keyBytes: Uint8Array;
  readonly row: HistoryRow<V> | undefined;
  readonly entry: E | undefined;
}

const NONE: readonly never[] = [];

/**
 * Rows by `[key][time][number]` with a write-back cache: rows written since the last commit and recently used rows are in
 * memory, above the committed rows. In memory they lie by key, so that a record finds the rows of its key at once; an
 * order of the keys is made only when somebody asks for more than one of them. The bytes of a row are made when a commit
 * writes it, so rows that come and go between two commits have none.
 */
export class TimedRows<K, V> {
  /** The time of the step, if this store keeps it. */
  time: StepTime | undefined;
  readonly bytes: ByteStore;
  readonly #key: Serde<K>;
  readonly #codec: ValueCodec<V>;
  readonly #cache: RowCache<HistoryRow<V>>;
  readonly #histories: KeyHistories<K, V>;

  constructor(bytes: ByteStore, key: Serde<K>, codec: ValueCodec<V>, cacheEntries: number) {
    this.bytes = bytes;
    this.#key = key;
    this.#codec = codec;
    this.#cache = new RowCache(bytes, cacheEntries, (row) => this.#remove(row));
    this.#histories = new KeyHistories(key);
  }

  /** Keeps the time of the step with these rows. No row's key is {@link TIME_KEY}. */
  keepTime(limit: TimeLimit): StepTime {
    this.time ??= new StepTime(limit, this.bytes.get(TIME_KEY));
    return this.time;
  }

  get(key: NonNullable<K>, time: number, number: number): V | undefined {
    const known = this.#histories.of(key)?.find(time, number);
    if (known !== undefined || this.#cache.complete) return known?.value;
    const keyBytes = timedKey(this.#key.serialize(key), time, number);
    const stored = this.bytes.get(keyBytes);
    if (stored === undefined) return undefined;
    const { value } = this.#codec.decode(stored);
    const row = this.#add(this.#histories.ensure(key), time, number, stored.length);
    row.value = value;
    row.stored = true;
    this.#cache.loaded(row);
    return value;
  }

  /** Sets a row. @throws RecordError if changes are checked and this one cannot be stored. */
  put(key: NonNullable<K>, time: number, number: number, value: V): HistoryRow<V> {
    this.bytes.check?.(timedKey(this.#key.serialize(key), time, number), this.#codec.encode(value, time));
    const history = this.#histories.ensure(key);
    const row = history.find(time, number) ?? this.#add(history, time, number, 0);
    row.value = value;
    this.#cache.touch(row);
    return row;
  }

  delete(key: NonNullable<K>, time: number, number: number): void {
    const row = this.#histories.of(key)?.find(time, number);
    if (row !== undefined) this.remove(row);
    else if (!this.#cache.complete) this.#cache.touch(this.#add(this.#histories.ensure(key), time, number, 0));
  }

  /** Deletes a row that was put, without looking for it. */
  remove(row: HistoryRow<V>): void {
    if (!row.here) {
      // The cache has let it go.
      if (row.value !== undefined) this.removeAt(row.history.keyOf(row.time, row.number));
      return;
    }
    row.value = undefined;
    // A row that was never committed leaves nothing behind: many rows are added and deleted between two commits.
    if (row.stored) this.#cache.touch(row);
    else this.#cache.forget(row);
  }

  /** Deletes the row with a store key, unread. */
  removeAt(keyBytes: Uint8Array): void {
    const row = this.#histories.get(keyBytes);
    if (row !== undefined) this.remove(row);
    else if (!this.#cache.complete) {
      this.#cache.touch(
        this.#add(this.#histories.ensureBytes(keyBytes), timedTime(keyBytes), timedNumber(keyBytes), 0),
      );
    }
  }

  /** The rows of a key from `from` to `to`, both inclusive, as they are now: to be read before a row is written. */
  list(key: NonNullable<K>, from: number, to: number): readonly RowAt<V>[] {
    if (!this.#cache.complete) return [...this.range(key, from, to)];
    return this.#histories.of(key)?.list(from, to) ?? NONE;
  }

  /**
   * The same one by one. Rows written during the iteration, after the current one, may or may not be included; deleted
   * rows are not.
   */
  *range(key: NonNullable<K>, from: number, to: number): Generator<RowAt<V>> {
    if (this.#cache.complete) {
      for (const row of this.list(key, from, to) as HistoryRow<V>[]) {
        const value = row.here ? row.value : this.get(key, row.time, row.number);
        if (value !== undefined) yield { time: row.time, number: row.number, value };
      }
      return;
    }
    const own = this.#key.serialize(key);
    const [start, end] = [timedFrom(own, from), to >= Number.MAX_SAFE_INTEGER ? timedEnd(own) : timedFrom(own, to + 1)];
    for (const { keyBytes, value } of this.#values(start, end)) {
      yield { time: timedTime(keyBytes), number: timedNumber(keyBytes), value };
    }
  }

  /** All rows, in order of key bytes, time and number. */
  *all(): Generator<RowAt<V> & { readonly key: NonNullable<K> }> {
    for (const { keyBytes, value } of this.#values()) {
      const { key, number, time } = timedParts(keyBytes);
      yield { key: this.#key.deserialize(key), time, number, value };
    }
  }

  /** The store keys with `from <= key < to`, without reading values. */
  *keys(from?: Uint8Array, to?: Uint8Array): Generator<Uint8Array> {
    const committed = this.#cache.complete ? undefined : this.bytes.keys(from, to);
    for (const { keyBytes, row } of this.#merged(committed, (key) => key, from, to)) {
      if (row === undefined || row.value !== undefined) yield keyBytes;
    }
  }

  collect(into: StoreWrites[]): void {
    const keys: Uint8Array[] = [];
    const values: (Uint8Array | null)[] = [];
    for (const row of this.#changed()) {
      const keyBytes = row.history.keyOf(row.time, row.number);
      const value = row.value === undefined ? null : this.#encode(row.value, row.time);
      keys.push(keyBytes);
      values.push(value);
      this.#cache.writes(row, keyBytes.length, value === null ? 0 : value.length);
    }
    this.#cache.collected();
    this.time?.collect(keys, values);
    if (keys.length > 0) into.push({ id: this.bytes.id, keys, values });
  }

  /**
   * What has to be written, in order of key bytes: neighbours lie together in a store. Only keys are compared; their rows
   * mostly come in order.
   */
  #changed(): readonly HistoryRow<V>[] {
    const histories: KeyHistory<V>[] = [];
    for (const row of this.#cache.changed()) {
      const { history } = row;
      if (history.changes(row)) histories.push(history);
    }
    const rows: HistoryRow<V>[] = [];
    for (const history of sortByBytes(histories)) history.takeChanged(rows);
    return rows;
  }

  committed(): void {
    this.#cache.committed();
    this.#histories.committed();
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
    return mergedWith<HistoryRow<V>>(this.bytes, this.#histories, ({ dirty, time, value }) => {
      if (value === undefined) return null;
      return dirty || this.#cache.isWriting ? this.#codec.encode(value, time) : undefined;
    });
  }

  *#values(from?: Uint8Array, to?: Uint8Array): Generator<{ readonly keyBytes: Uint8Array; readonly value: V }> {
    const committed = this.#cache.complete ? undefined : this.bytes.range(from, to);
    for (const { entry, keyBytes, row } of this.#merged(committed, ([key]) => key, from, to)) {
      if (row === undefined && entry !== undefined) yield { keyBytes, value: this.#codec.decode(entry[1]).value };
      else if (row?.value !== undefined) yield { keyBytes, value: row.value };
    }
  }

  /** What is committed and what is in memory as one, in order of key bytes; what is in memory is newer. */
  *#merged<E>(
    committed: IterableIterator<E> | undefined,
    keyOf: (entry: E) => Uint8Array,
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
  ): Generator<Found<V, E>> {
    const memory = this.#histories.range(from, to);
    let below = committed?.next();
    let above = memory.next();
    while (above.done !== true || (below !== undefined && below.done !== true)) {
      if (below !== undefined && below.done !== true) {
        const entry = below.value;
        const keyBytes = keyOf(entry);
        const order = above.done === true ? -1 : compareBytes(keyBytes, above.value[0]);
        if (order <= 0) {
          below = committed?.next();
          if (order === 0) above = memory.next();
          // Rows that were added after the look-ahead count too.
          if (!isTime(keyBytes)) yield { keyBytes, row: this.#histories.get(keyBytes), entry };
          continue;
        }
      }
      if (above.done === true) continue;
      const [keyBytes, row] = above.value;
      if (row.here) yield { keyBytes, row, entry: undefined };
      above = memory.next();
    }
  }

  #add(history: KeyHistory<V>, time: number, number: number, valueBytes: number): HistoryRow<V> {
    const size = entryBytes(history.keyBytes.length + 2 * NUMBER_BYTES, valueBytes);
    const row = new HistoryRow(history, time, number, !this.#cache.complete, size);
    history.add(row);
    this.#cache.added(size);
    return row;
  }

  #remove(row: HistoryRow<V>): void {
    const { history } = row;
    history.remove(row);
    if (history.isEmpty) this.#histories.delete(history);
  }

  #encode(value: V, time: number): Uint8Array {
    try {
      return this.#codec.encode(value, time);
    } catch (error) {
      throw unwritable(this.bytes.id.store, error);
    }
  }
}
