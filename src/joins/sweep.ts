import type { TimedStore } from '../state/timed-store.ts';

/** So many rows are remembered by the order in which they came. */
const MOST_NOTED = 250_000;
/** Places that are used up, before they are let go. */
const SPARE = 1024;

/**
 * Removes rows that are old. They come nearly in the order of time, so the first that came are the first to go. Those that were
 * there before, and those of a time when more came than are remembered, are found by going through the rows again and again, a
 * part at a time.
 */
export class Sweep<K> {
  readonly #rows: TimedStore<K, unknown>;
  /** Places of rows, in the order in which they came; those before the head have been removed. */
  #noted: Uint8Array[] = [];
  #head = 0;
  /** No row that was not noted is newer; −1 where all have been. */
  #unnoted: number;
  /** Where to go on looking for those; `undefined` begins with the first row. */
  #next: Uint8Array | undefined;
  /** All of those are old since the look at the first row. */
  #lastLook = false;

  /** @param newest - Time of the newest row, or later. */
  constructor(rows: TimedStore<K, unknown>, newest: number) {
    this.#rows = rows;
    this.#unnoted = rows.allInMemory ? -1 : newest;
  }

  /** A row has come. @param newest - Time of the newest row, or later. */
  note(place: Uint8Array, newest: number): void {
    if (this.#noted.length - this.#head === MOST_NOTED) {
      this.#noted = [];
      this.#head = 0;
      this.#unnoted = newest;
      this.#lastLook = false;
    }
    this.#noted.push(place);
  }

  /** @param most - Rows to look at, of those that were not noted. @param until - Rows of this time and before are removed. */
  go(most: number, until: number): void {
    const noted = this.#noted;
    while (this.#head < noted.length && this.#rows.removeOld(noted[this.#head] as Uint8Array, until)) this.#head += 1;
    if (this.#head > SPARE && this.#head > noted.length / 2) {
      this.#noted = noted.slice(this.#head);
      this.#head = 0;
    }
    if (this.#unnoted >= 0) this.#look(most, until);
  }

  #look(most: number, until: number): void {
    if (this.#next === undefined) this.#lastLook = until >= this.#unnoted;
    this.#next = this.#rows.sweep(this.#next, most, until);
    if (this.#next === undefined && this.#lastLook) this.#unnoted = -1;
  }
}
