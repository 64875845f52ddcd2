/** How many are held. Handing them over takes a fraction of a millisecond. */
const MOST = 256;

/**
 * Durations that are handed over together, when metrics are collected or when there are many. An SDK looks up the
 * attributes of every single one: in one loop that takes a fraction of what it takes in between other work.
 */
export class HeldDurations {
  readonly #record: (seconds: number) => void;
  readonly #held = new Float64Array(MOST);
  #count = 0;

  /** @param record - Called with each duration in seconds. */
  constructor(record: (seconds: number) => void) {
    this.#record = record;
  }

  add(ms: number): void {
    this.#held[this.#count++] = ms / 1000;
    if (this.#count === MOST) this.flush();
  }

  flush(): void {
    const count = this.#count;
    this.#count = 0;
    for (let at = 0; at < count; at += 1) this.#record(this.#held[at] as number);
  }
}
