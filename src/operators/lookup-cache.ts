/** A cached answer: a row, or that there is none. */
interface Known<W> {
  readonly row: W | null;
  readonly until: number;
}

/**
 * Cached rows of an external system; the least recently used one is evicted first. Times come from a monotonic clock.
 */
export class LookupCache<W> {
  readonly #size: number;
  readonly #ttlMs: number;
  readonly #missingTtlMs: number;
  /** Ordered from the least to the most recently used. */
  readonly #rows = new Map<unknown, Known<W>>();

  /** @param missingTtlMs - How long the answer "no row" is valid. */
  constructor(size: number, ttlMs: number, missingTtlMs: number) {
    this.#size = size;
    this.#ttlMs = ttlMs;
    this.#missingTtlMs = missingTtlMs;
  }

  /** `null` if it is known that there is no row; `undefined` if nothing is known. */
  get(id: unknown, now: number): W | null | undefined {
    const known = this.#rows.get(id);
    if (known === undefined) return undefined;
    this.#rows.delete(id);
    if (known.until <= now) return undefined;
    this.#rows.set(id, known);
    return known.row;
  }

  set(id: unknown, row: W | null, now: number): void {
    const ttlMs = row === null ? this.#missingTtlMs : this.#ttlMs;
    this.#rows.delete(id);
    if (ttlMs === 0) return;
    this.#rows.set(id, { row, until: now + ttlMs });
    if (this.#rows.size > this.#size) for (const oldest of this.#rows.keys()) return void this.#rows.delete(oldest);
  }
}
