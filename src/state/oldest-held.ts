/** Tracks the age of rows that wait in a time index. A row may be older than the time that it waits for. */
export class OldestHeld {
  readonly #index: { readonly first: number };
  readonly #stored: () => Iterable<number>;
  /**
   * The largest difference between a row's waiting time and its timestamp; `-Infinity` without rows, `undefined` until
   * requested.
   */
  #older: number | undefined;

  /**
   * @param index - Its `first` is not later than the time of any waiting row; `Infinity` if none waits.
   * @param stored - For all waiting rows, how much older they are than their times. Called once, for rows from before
   * the start.
   */
  constructor(index: { readonly first: number }, stored: () => Iterable<number>) {
    this.#index = index;
    this.#stored = stored;
  }

  /** Adds a waiting row. @param older - How much older it is than the time that it waits for. */
  add(older: number): void {
    if (this.#older !== undefined && older > this.#older) this.#older = older;
  }

  /** Lower bound for the timestamps of waiting rows; `Infinity` if none waits. */
  get oldest(): number {
    const { first } = this.#index;
    if (first === Number.POSITIVE_INFINITY) this.#older = Number.NEGATIVE_INFINITY;
    this.#older ??= this.#most();
    return first - this.#older;
  }

  #most(): number {
    let most = Number.NEGATIVE_INFINITY;
    for (const older of this.#stored()) if (older > most) most = older;
    return most;
  }
}
