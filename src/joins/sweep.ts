import type { TimedStore } from '../state/timed-store.ts';

/** Goes through the rows of a store again and again, a part at a time, and removes those that are old. */
export class Sweep<K> {
  readonly #rows: TimedStore<K, unknown>;
  #next: Uint8Array | undefined;

  constructor(rows: TimedStore<K, unknown>) {
    this.#rows = rows;
  }

  /** Looks at the next rows. @param until - Rows of this time and before are removed. */
  go(rows: number, until: number): void {
    this.#next = this.#rows.sweep(this.#next, rows, until);
  }
}
