import type { TaskTime } from './task-time.ts';

/**
 * The timestamps of the records that a step still works on. Steps below it will get these records after newer ones, so
 * their stream time must not pass the oldest.
 */
export class PendingTimes {
  /** In ascending order, as records mostly arrive. */
  readonly #times: number[] = [];

  /** The lowest timestamp; `Infinity` if there is none. */
  get oldest(): number {
    return this.#times[0] ?? Number.POSITIVE_INFINITY;
  }

  add(timestamp: number): void {
    const last = this.#times.at(-1);
    if (last === undefined || last <= timestamp) this.#times.push(timestamp);
    else this.#times.splice(this.#placeOf(timestamp), 0, timestamp);
  }

  /** @returns Whether the oldest timestamp has risen. */
  remove(timestamp: number): boolean {
    const before = this.oldest;
    this.#times.splice(this.#placeOf(timestamp), 1);
    return this.oldest > before;
  }

  /** The first place with this timestamp or a higher one. */
  #placeOf(timestamp: number): number {
    let low = 0;
    let high = this.#times.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#times[middle] as number) < timestamp) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The time of a step below steps that emit records out of order. */
export class TimeBelow implements TaskTime {
  readonly #task: TaskTime;
  readonly #above: readonly PendingTimes[];

  constructor(task: TaskTime, above: readonly PendingTimes[]) {
    this.#task = task;
    this.#above = above;
  }

  get limit(): number {
    let { limit } = this.#task;
    for (const { oldest } of this.#above) if (oldest < limit) limit = oldest;
    return limit;
  }
}
