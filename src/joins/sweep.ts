import type { TimedPlace, TimedStore } from '../state/timed-store.ts';

/** How many used entries to keep before the list is shortened. */
const SPARE = 1024;

/**
 * Removes old rows, a few at a time. Rows arrive nearly in order of time, so while all of them are in memory, the first
 * to arrive are the first to be removed. Rows from before a restart, and all rows once the cache has evicted some, are
 * found by scanning the store repeatedly instead, so that no more is remembered than the cache holds.
 */
export class Sweep<K> {
  readonly #rows: TimedStore<K, unknown>;
  /** Rows in order of arrival. Rows before the head have been removed. */
  #noted: TimedPlace<unknown>[] = [];
  #head = 0;
  /** How many rows the cache had evicted when the first of them was noted. */
  #evicted: number;
  /** Upper bound for the time of rows that are not noted; −1 if all rows are noted. */
  #unnoted: number;
  /** Where the scan continues; `undefined` starts it at the first row. */
  #next: Uint8Array | undefined;
  /** Whether all rows that are not noted were old when the scan started. */
  #lastScan = false;

  /** @param newest - Time of the newest row, or later. */
  constructor(rows: TimedStore<K, unknown>, newest: number) {
    this.#rows = rows;
    this.#evicted = rows.evicted;
    this.#unnoted = rows.allInMemory ? -1 : newest;
  }

  /** Notes a row that was stored. */
  note(place: TimedPlace<unknown>): void {
    this.#noted.push(place);
  }

  /**
   * @param most - Maximum number of rows to remove, and of rows to scan.
   * @param until - Rows up to and including this time are removed.
   * @param newest - Time of the newest row, or later.
   */
  go(most: number, until: number, newest: number): void {
    if (this.#evicted !== this.#rows.evicted) this.#forget(newest);
    const noted = this.#noted;
    const end = Math.min(noted.length, this.#head + most);
    while (this.#head < end && this.#rows.removeOld(noted[this.#head] as TimedPlace<unknown>, until)) this.#head += 1;
    if (this.#head > SPARE && this.#head > noted.length / 2) {
      this.#noted = noted.slice(this.#head);
      this.#head = 0;
    }
    if (this.#unnoted >= 0 && until >= 0) this.#scan(most, until);
  }

  #forget(newest: number): void {
    this.#evicted = this.#rows.evicted;
    this.#noted = [];
    this.#head = 0;
    this.#unnoted = newest;
    this.#lastScan = false;
  }

  #scan(most: number, until: number): void {
    if (this.#next === undefined) this.#lastScan = until >= this.#unnoted;
    this.#next = this.#rows.sweep(this.#next, most, until);
    if (this.#next === undefined && this.#lastScan) this.#unnoted = -1;
  }
}
