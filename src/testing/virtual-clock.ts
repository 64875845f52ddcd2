import type { Cancel, Clock } from '../dataflow/clock.ts';
import { soon } from '../dataflow/soon.ts';

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock that stands still until it is advanced. Timers fire in order while it advances. Callbacks of `soon` need no
 * time: they run when the process has handled its pending events.
 *
 * @public
 */
export class VirtualClock implements Clock {
  #now: number;
  readonly #started: number;
  readonly #timers = new Set<Timer>();

  /** @param start - Wall-clock time in ms since the epoch. */
  constructor(start = 0) {
    this.#now = start;
    this.#started = start;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now - this.#started;
  }

  after(ms: number, callback: () => void): Cancel {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  soon(callback: () => void): void {
    soon(callback);
  }

  /** Moves time forward by `ms`, firing every timer that is due on the way. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    // A timer may have advanced the clock further.
    this.#now = Math.max(this.#now, until);
  }

  #next(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first;
  }
}
