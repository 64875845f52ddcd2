import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import type { HistoryRow } from './key-history.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import type { StepTime, TimeLimit } from './step-time.ts';
import { timedFrom, timedTime } from './timed-keys.ts';
import { type RowAt, TimedRows } from './timed-rows.ts';
import type { ValueCodec } from './value-codec.ts';

/** A row of a key at a time; its number distinguishes it from others of the same key and time. */
export interface TimedRow<K, V> extends RowAt<V> {
  readonly key: NonNullable<K>;
}

/** A row that was put, to remove it without looking for it. */
export type TimedPlace<V> = HistoryRow<V>;

/** Rows by `[key][time][number]`: the history of a key, such as rows that wait for a partner, versions. */
export class TimedStore<K, V> implements StateHolder {
  readonly name: string;
  readonly #rows: TimedRows<K, V>;
  readonly #key: Serde<K>;
  readonly #present: (value: V) => unknown;

  constructor(
    bytes: ByteStore,
    key: Serde<K>,
    codec: ValueCodec<V>,
    cacheEntries: number,
    present: (value: V) => unknown = (value) => value,
  ) {
    this.name = bytes.id.store;
    this.#rows = new TimedRows(bytes, key, codec, cacheEntries);
    this.#key = key;
    this.#present = present;
  }

  /** Keeps the time of the step in this store. */
  keepTime(limit: TimeLimit): StepTime {
    return this.#rows.keepTime(limit);
  }

  get(key: NonNullable<K>, time: number, number: number = 0): V | undefined {
    return this.#rows.get(key, time, number);
  }

  /** @returns Its place, for {@link removeOld}. */
  put(key: NonNullable<K>, time: number, value: V, number: number = 0): TimedPlace<V> {
    return this.#rows.put(key, time, number, value);
  }

  delete(key: NonNullable<K>, time: number, number: number = 0): void {
    this.#rows.delete(key, time, number);
  }

  /** The rows of a key from `from` to `to`, both inclusive, ordered by time, then by number. */
  *range(key: NonNullable<K>, from: number = 0, to: number = Number.MAX_SAFE_INTEGER): Generator<TimedRow<K, V>> {
    for (const { number, time, value } of this.#rows.range(key, from, to)) yield { key, time, number, value };
  }

  /** The same all at once, without their key: to be read before a row is written. */
  list(key: NonNullable<K>, from: number, to: number): readonly RowAt<V>[] {
    return this.#rows.list(key, from, to);
  }

  /**
   * Checks a limited number of rows and deletes those with time `until` or earlier, without reading them.
   *
   * @param from - Where the last call ended; `undefined` starts with the first row.
   * @param most - How many rows to check.
   * @returns Where to continue; `undefined` after the last row.
   */
  sweep(from: Uint8Array | undefined, most: number, until: number): Uint8Array | undefined {
    let left = most;
    for (const keyBytes of this.#rows.keys(from)) {
      if (left === 0) return keyBytes;
      left -= 1;
      if (timedTime(keyBytes) <= until) this.#rows.removeAt(keyBytes);
    }
    return undefined;
  }

  /** Deletes the row at a place if it is of `until` or before. @returns Whether it is. */
  removeOld(place: TimedPlace<V>, until: number): boolean {
    if (place.time > until) return false;
    this.#rows.remove(place);
    return true;
  }

  /** Whether the store has nothing that is not in memory. */
  get allInMemory(): boolean {
    return this.#rows.complete;
  }

  /** How many rows the cache has let go. */
  get evicted(): number {
    return this.#rows.evicted;
  }

  /** Deletes all rows of a key at a time, unread. */
  deleteAll(key: NonNullable<K>, time: number): void {
    const bytes = this.#key.serialize(key);
    for (const keyBytes of this.#rows.keys(timedFrom(bytes, time), timedFrom(bytes, time + 1)))
      this.#rows.removeAt(keyBytes);
  }

  /** The stored bytes of a key at a time, for unreadable rows. */
  *stored(key: NonNullable<K>, time: number): Generator<Uint8Array> {
    const bytes = this.#key.serialize(key);
    for (const [, value] of this.view().range(timedFrom(bytes, time), timedFrom(bytes, time + 1))) yield value;
  }

  /** All rows, ordered by key bytes, then by time and number. */
  all(): Generator<TimedRow<K, V>> {
    return this.#rows.all();
  }

  /** A number that no row of this key and time has. */
  freeNumber(key: NonNullable<K>, time: number): number {
    let free = 0;
    for (const { number } of this.range(key, time, time)) free = number + 1;
    return free;
  }

  collect(into: StoreWrites[]): void {
    this.#rows.collect(into);
  }

  committed(): void {
    this.#rows.committed();
  }

  describe(): StoreSnapshot {
    const { cached, dirty, time } = this.#rows;
    return { name: this.name, cached, dirty, ...(time === undefined ? {} : { streamTime: time.streamTime }) };
  }

  *entries(): IterableIterator<StoreEntry> {
    for (const { key, time, value } of this.all()) yield { key, value: this.#present(value), timestamp: time };
  }

  /** The current entries as bytes. */
  view(): ByteStore {
    return this.#rows.view();
  }
}
