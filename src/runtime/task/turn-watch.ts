/** How many records to process between checks of the clock and the outputs, while records are fast. */
const MOST_UNWATCHED = 8;
/** If they take longer than this together, in ms, the clock is read after each record. */
const SLOW_MS = 2;

/** Decides when to read the clock during turns: often enough for slow records, and rarely enough for fast ones. */
export class TurnWatch {
  #unwatched = MOST_UNWATCHED;
  #lookedAt = 0;
  /** Number of records in the turn after which to check. */
  next = 0;

  /** @returns `now` */
  begin(now: number): number {
    this.#lookedAt = now;
    this.next = this.#unwatched;
    return now;
  }

  /** Whether to check after that many records of the turn. */
  due(done: number): boolean {
    return done >= this.next;
  }

  /** @returns `now` */
  looked(done: number, now: number): number {
    this.#unwatched = now - this.#lookedAt > SLOW_MS ? 1 : Math.min(2 * this.#unwatched, MOST_UNWATCHED);
    this.#lookedAt = now;
    this.next = done + this.#unwatched;
    return now;
  }
}
