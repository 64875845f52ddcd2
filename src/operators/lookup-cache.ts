/** What a cache knows: a row, or that there is none. */
interface Known<W> {
  readonly row: W | null;
  readonly until: number;
}

/** Rows of a system outside, the least recently used of them forgotten first. Times are those of a monotonic clock. */
export class LookupCache<W> {
  readonly #size: number;
  readonly #ttlMs: number;
  readonly #missingTtlMs: number;
  /** In the order in which they were used. */
  readonly #rows = new Map<unknown, Known<W>>();

  /** @param missingTtlMs - For how long it is known that there is no row. */
  constructor(size: number, ttlMs: number, missingTtlMs: number) {
    this.#size = size;
    this.#ttlMs = ttlMs;
    this.#missingTtlMs = missingTtlMs;
  }

  /** `null` where there is known to be none; `undefined` where nothing is known. */
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
