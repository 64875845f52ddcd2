import type { TimerKind } from '../state/timer-store.ts';
import type { ProcessPlan } from './process-plan.ts';

/** One interval of a step in one task. */
export class IntervalTimer {
  readonly name: string;
  readonly kind: TimerKind;
  /** The time of the next call. */
  next: number;
  readonly #everyMs: number;

  /**
   * @param now - Stream time or wall-clock time. Stream-time intervals count from 0, so they do not depend on when the
   * task started.
   */
  constructor(name: string, kind: TimerKind, everyMs: number, now: number) {
    this.name = name;
    this.kind = kind;
    this.#everyMs = everyMs;
    this.next = kind === 'wall-clock' ? now + everyMs : now < 0 ? 0 : now - (now % everyMs) + everyMs;
  }

  /** Schedules the next call; intervals that have already passed are skipped. */
  called(now: number): void {
    this.next += (Math.floor((now - this.next) / this.#everyMs) + 1) * this.#everyMs;
  }
}

/** All intervals of a step in one task. */
export class Intervals {
  readonly #all: readonly IntervalTimer[];

  /** @param now - Returns the current time of either kind. */
  constructor(plan: Pick<ProcessPlan, 'intervals'>, now: (kind: TimerKind) => number) {
    this.#all = plan.intervals.map(({ everyMs, kind, name }) => new IntervalTimer(name, kind, everyMs, now(kind)));
  }

  /** The time at which the next one is due. */
  earliest(kind: TimerKind): number {
    let first = Number.POSITIVE_INFINITY;
    for (const { kind: of, next } of this.#all) if (of === kind && next < first) first = next;
    return first;
  }

  /** Calls those that are due. @returns How many there were. */
  fire(kind: TimerKind, now: number, due: (name: string) => void): number {
    let fired = 0;
    for (const interval of this.#all) {
      if (interval.kind !== kind || interval.next > now) continue;
      interval.called(now);
      fired += 1;
      due(interval.name);
    }
    return fired;
  }
}
