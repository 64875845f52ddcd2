/** The distribution of durations. @public */
export interface TimingSnapshot {
  readonly count: number;
  readonly sumMs: number;
  readonly maxMs: number;
  /** Interpolated within a bucket; `undefined` until something was measured. */
  readonly p50Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Cumulative counts by ascending limit. Durations above the last limit are only in `count`. */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[];
}

/** Upper bounds of the buckets, in ms. */
const TIMING_LIMITS: readonly number[] = [
  0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000,
];

/** A histogram of durations. Adding one costs a short search and an increment. */
export class Timing {
  readonly #counts: number[] = TIMING_LIMITS.map(() => 0);
  #count = 0;
  #sum = 0;
  #max = 0;

  add(ms: number): void {
    // The clock of a machine that writes records may be ahead.
    const taken = ms > 0 ? ms : 0;
    this.#count += 1;
    this.#sum += taken;
    if (taken > this.#max) this.#max = taken;
    for (let at = 0; at < TIMING_LIMITS.length; at += 1) {
      if (taken > (TIMING_LIMITS[at] as number)) continue;
      (this.#counts[at] as number) += 1;
      return;
    }
  }

  snapshot(): TimingSnapshot {
    let below = 0;
    const buckets = TIMING_LIMITS.map((upToMs, at) => {
      below += this.#counts[at] as number;
      return { upToMs, count: below };
    });
    return {
      count: this.#count,
      sumMs: this.#sum,
      maxMs: this.#max,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      buckets,
    };
  }

  /** Assumes that values are spread evenly within a bucket. */
  #quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    const wanted = share * this.#count;
    let below = 0;
    for (const [at, count] of this.#counts.entries()) {
      if (count > 0 && below + count >= wanted) {
        const from = TIMING_LIMITS[at - 1] ?? 0;
        const to = TIMING_LIMITS[at] as number;
        return Math.min(this.#max, from + ((wanted - below) / count) * (to - from));
      }
      below += count;
    }
    return this.#max;
  }
}
