import type { TimedStore } from '../state/timed-store.ts';

/** Places that are used up, before they are let go. */
const SPARE = 1024;

/**
 * Removes rows that are old, a few at a time. They come nearly in the order of time, so while all of them are in memory the first
 * that came are the first to go. Rows from before a restart, and all rows once the cache has let some go, are found by scanning
 * the store again and again instead: no more is remembered than the cache holds.
 */
export class Sweep<K> {
  readonly #rows: TimedStore<K, unknown>;
  /** Places of rows, in the order in which they came; those before the head have been removed. */
  #noted: Uint8Array[] = [];
  #head = 0;
  /** What the cache had let go when the first of them was noted. */
  #evicted: number;
  /** No row that is not noted is newer; −1 where all are. */
  #unnoted: number;
  /** Where the scan goes on; `undefined` begins with the first row. */
  #next: Uint8Array | undefined;
  /** Whether all rows that are not noted were old when the scan began. */
  #lastScan = false;

  /** @param newest - Time of the newest row, or later. */
  constructor(rows: TimedStore<K, unknown>, newest: number) {
    this.#rows = rows;
    this.#evicted = rows.evicted;
    this.#unnoted = rows.allInMemory ? -1 : newest;
  }

  /** A row has come. */
  note(place: Uint8Array): void {
    this.#noted.push(place);
  }

  /**
   * @param most - Rows that are removed at most, and that are looked at by the scan.
   * @param until - Rows of this time and before are removed.
   * @param newest - Time of the newest row, or later.
   */
  go(most: number, until: number, newest: number): void {
    if (this.#evicted !== this.#rows.evicted) this.#forget(newest);
    const noted = this.#noted;
    const end = Math.min(noted.length, this.#head + most);
    while (this.#head < end && this.#rows.removeOld(noted[this.#head] as Uint8Array, until)) this.#head += 1;
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
