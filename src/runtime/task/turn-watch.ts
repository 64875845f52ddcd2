/** Records between two looks at the clock and at the outputs, as long as records are quick. */
const MOST_UNWATCHED = 8;
/** When they take longer than this together, in ms, the clock is looked at after each record. */
const SLOW_MS = 2;

/** When to look at the clock during turns: often enough for slow records, and seldom enough for quick ones. */
export class TurnWatch {
  #unwatched = MOST_UNWATCHED;
  #lookedAt = 0;
  /** Records of the turn after which it is time to look. */
  next = 0;

  /** @returns `now` */
  begin(now: number): number {
    this.#lookedAt = now;
    this.next = this.#unwatched;
    return now;
  }

  /** Whether it is time to look, after that many records of the turn. */
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
