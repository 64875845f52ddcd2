/** How old the rows may be that wait for a time in an index. A row may be older than the time that it waits for. */
export class OldestHeld {
  readonly #index: { readonly first: number };
  readonly #stored: () => Iterable<number>;
  /** The most that one of them is older than its time; `-Infinity` without any, `undefined` before somebody asks. */
  #older: number | undefined;

  /**
   * @param index - Its `first` is no later than the time of any that waits; `Infinity` where none does.
   * @param stored - Of all that wait, how much older than their times they are: what was there before a start is asked for once.
   */
  constructor(index: { readonly first: number }, stored: () => Iterable<number>) {
    this.#index = index;
    this.#stored = stored;
  }

  /** One more waits. @param older - How much older it is than the time that it waits for. */
  add(older: number): void {
    if (this.#older !== undefined && older > this.#older) this.#older = older;
  }

  /** No row that waits is older; `Infinity` where none waits. */
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
