import type { DueStore } from './due-store.ts';
import type { KeyValueStore } from './key-value-store.ts';
import type { StepTime } from './step-time.ts';
import type { TimedStore } from './timed-store.ts';
import type { Version } from './version-codec.ts';

/** The time under which the newest version of a key is stored if it is a deletion: it has no end yet. */
const OPEN = Number.MAX_SAFE_INTEGER;

/**
 * What is due at a time: a version that ended then, and possibly a deletion that is the newest version from then on.
 */
const ENDED = 0;
const DELETED = 1;

/** For how many keys a write removes old versions. It is more than a write can add, so that they never pile up. */
const MOST_AT_ONCE = 16;

/** The stores that hold versions. */
export interface VersionStores<K, V> {
  /** The newest row of each key. */
  readonly newest: KeyValueStore<K, V>;
  /** Older versions by the time at which they ended. */
  readonly older: TimedStore<K, Version<V>>;
  /** When older versions can be removed. */
  readonly expiry: DueStore<K, number>;
}

/**
 * The rows of a table with their history: the row of each key at any time within the history. Time is the highest
 * timestamp written. The newest version of a key never expires; an older one expires if it ended before that time minus
 * the history.
 */
export class Versions<K, V> {
  readonly #newest: KeyValueStore<K, V>;
  readonly #older: TimedStore<K, Version<V>>;
  readonly #expiry: DueStore<K, number>;
  readonly #time: StepTime;
  readonly #historyMs: number;

  constructor({ expiry, newest, older }: VersionStores<K, V>, time: StepTime, historyMs: number) {
    this.#newest = newest;
    this.#older = older;
    this.#expiry = expiry;
    this.#time = time;
    this.#historyMs = historyMs;
  }

  /** The newest row. */
  get(key: NonNullable<K>): V | undefined {
    return this.#newest.get(key);
  }

  /** Timestamp of the newest row; −1 if there is none. */
  timestampOf(key: NonNullable<K>): number {
    return this.#newest.entry(key).timestamp;
  }

  /** The row that a key had at a time. */
  at(key: NonNullable<K>, time: number): V | undefined {
    const { timestamp, value } = this.#newest.entry(key);
    if (value !== undefined && timestamp <= time) return value;
    if (this.#isOver(time)) return undefined;
    const version = this.#versionAt(key, time);
    return version === undefined || version.value.from > time ? undefined : (version.value.row ?? undefined);
  }

  /**
   * Writes a version; `null` deletes the row from its time on. An existing version with the same time is replaced.
   *
   * @returns Whether it is the newest one of its key; `undefined` if it is older than the history and was ignored.
   */
  put(key: NonNullable<K>, row: V | null, time: number): boolean | undefined {
    this.#time.observe(time);
    if (this.#isOver(time)) return undefined;
    const { timestamp, value } = this.#newest.entry(key);
    const deleted = value === undefined ? this.#older.get(key, OPEN) : undefined;
    const from = value === undefined ? (deleted?.from ?? -1) : timestamp;
    const isNewest = time >= from;
    // The new row comes first: only this write can be refused.
    if (isNewest) this.#setNewest(key, row, time);
    else this.#insert(key, row, time, from, deleted === undefined ? ENDED : DELETED);
    if (isNewest && from !== -1 && time > from) this.#end(key, time, { from, row: value ?? null }, row === null);
    if (isNewest && row !== null && deleted !== undefined) this.#older.delete(key, OPEN);
    this.#expire();
    return isNewest;
  }

  #setNewest(key: NonNullable<K>, row: V | null, time: number): void {
    this.#newest.set(key, row ?? undefined, time);
    if (row !== null) return;
    this.#older.put(key, OPEN, { from: time, row: null });
    this.#expiry.put(time, key, DELETED);
  }

  /** Ends the newest version: it becomes an older one. */
  #end(key: NonNullable<K>, until: number, version: Version<V>, deleted: boolean): void {
    this.#older.put(key, until, version);
    this.#expiry.put(until, key, deleted ? DELETED : ENDED);
  }

  /** Inserts a version between others. @param newest - When the newest one starts. */
  #insert(key: NonNullable<K>, row: V | null, time: number, newest: number, mark: number): void {
    const found = this.#versionAt(key, time);
    if (found === undefined || found.time === OPEN) {
      this.#older.put(key, newest, { from: time, row });
      this.#expiry.put(newest, key, mark);
      return;
    }
    const { from } = found.value;
    // There is no version yet before the first known one.
    const until = from > time ? from : found.time;
    this.#older.put(key, until, { from: time, row });
    if (from > time) this.#expiry.put(until, key, ENDED);
    else if (from < time) this.#end(key, time, found.value, false);
  }

  /** The version that was valid at a time, or the first one after it, not counting the newest row. */
  #versionAt(key: NonNullable<K>, time: number): { readonly time: number; readonly value: Version<V> } | undefined {
    for (const row of this.#older.range(key, time + 1)) return row;
    return undefined;
  }

  /** Whether a time is before the history. */
  #isOver(time: number): boolean {
    return time < this.#time.streamTime - this.#historyMs;
  }

  #expire(): void {
    const end = this.#time.streamTime - this.#historyMs;
    if (end < this.#expiry.firstTime) return;
    let left = MOST_AT_ONCE;
    for (const { key, time, value } of this.#expiry.dueBy(end)) {
      this.#older.delete(key, time);
      if (value === DELETED && this.#older.get(key, OPEN)?.from === time) this.#older.delete(key, OPEN);
      this.#expiry.delete(time, key);
      if ((left -= 1) === 0) return;
    }
  }
}
