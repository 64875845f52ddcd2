import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { FrontRow } from './front-row.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { type StepTime, TIME_KEY, type TimeLimit } from './step-time.ts';
import { type StoredRow, StoredRows } from './stored-rows.ts';
import type { ValueCodec } from './value-codec.ts';

/** An event for a key that is due at a time. */
export interface DueRow<K, V> {
  readonly time: number;
  readonly key: NonNullable<K>;
  readonly value: V;
}

/**
 * Rows by `[time][key]`: events that are due at a time, such as closing, expiry and timers. The cost of reading due
 * rows depends only on their number.
 */
export class DueStore<K, V> implements StateHolder {
  readonly name: string;
  readonly #rows: StoredRows<V>;
  readonly #front: FrontRow<V>;
  readonly #key: Serde<K>;
  readonly #present: (value: V) => unknown;
  /** The earliest time, if known. */
  #first: number | undefined;

  constructor(
    bytes: ByteStore,
    key: Serde<K>,
    codec: ValueCodec<V>,
    cacheEntries: number,
    present: (value: V) => unknown = (value) => value,
  ) {
    this.name = bytes.id.store;
    this.#rows = new StoredRows(bytes, codec, cacheEntries);
    this.#front = new FrontRow(this.#rows, NO_KEY, TIME_KEY);
    this.#key = key;
    this.#present = present;
  }

  /** Keeps the time of the step in this store. */
  keepTime(limit: TimeLimit): StepTime {
    return this.#rows.keepTime(limit);
  }

  /** The earliest time of a row; `Infinity` if there is none. It is free as long as no row is deleted. */
  get firstTime(): number {
    if (this.#first === undefined) {
      const first = this.#front.first();
      this.#first = first === undefined ? Number.POSITIVE_INFINITY : readNumber(first.keyBytes, 0);
    }
    return this.#first;
  }

  get(time: number, key: NonNullable<K>): V | undefined {
    return this.#rows.get(dueKey(time, this.#key.serialize(key)))?.value;
  }

  put(time: number, key: NonNullable<K>, value: V): void {
    const keyBytes = dueKey(time, this.#key.serialize(key));
    this.#rows.put(keyBytes, value, time);
    this.#front.added(keyBytes);
    if (this.#first !== undefined && time < this.#first) this.#first = time;
  }

  delete(time: number, key: NonNullable<K>): void {
    this.#rows.delete(dueKey(time, this.#key.serialize(key)));
    if (time === this.#first) this.#first = undefined;
  }

  /**
   * The rows whose time is `time` or earlier, ordered by time, then by key bytes. They stay until they are deleted.
   *
   * @param from - The time to start at: a caller that knows that nothing is earlier need not iterate over deleted
   * entries.
   */
  *dueBy(time: number, from: number = 0): Generator<DueRow<K, V>> {
    if (from === 0 && time < this.firstTime) return;
    const end = time >= Number.MAX_SAFE_INTEGER ? TIME_KEY : dueKey(time + 1, NO_KEY);
    for (const row of this.#front.between(dueKey(from, NO_KEY), end)) yield this.#rowOf(row);
  }

  /** The earliest time of a row that is due at `from` or later; `Infinity` if there is none. */
  nextTime(from: number): number {
    const { done, value } = this.#front.between(dueKey(from, NO_KEY), TIME_KEY).next();
    return done === true ? Number.POSITIVE_INFINITY : readNumber(value.keyBytes, 0);
  }

  /** All rows, by time, then by key bytes. */
  all(): Generator<DueRow<K, V>> {
    return this.dueBy(Number.MAX_SAFE_INTEGER);
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

  #rowOf({ keyBytes, value }: StoredRow<V>): DueRow<K, V> {
    return { time: readNumber(keyBytes, 0), key: this.#key.deserialize(keyBytes.slice(NUMBER_BYTES)), value };
  }
}

const NO_KEY = new Uint8Array(0);

/** `[time][key]`. */
function dueKey(time: number, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES + key.length);
  writeNumber(bytes, 0, time);
  bytes.set(key, NUMBER_BYTES);
  return bytes;
}
