import type { TimerKind } from '../state/timer-store.ts';

/** One interval of a step in one task. */
export class IntervalTimer {
  readonly name: string;
  readonly kind: TimerKind;
  /** When it is called next. */
  next: number;
  readonly #everyMs: number;

  /** @param now - Stream time, or the clock on the wall. Stream time begins at 0: its intervals do not depend on a start. */
  constructor(name: string, kind: TimerKind, everyMs: number, now: number) {
    this.name = name;
    this.kind = kind;
    this.#everyMs = everyMs;
    this.next = kind === 'wall-clock' ? now + everyMs : now < 0 ? 0 : now - (now % everyMs) + everyMs;
  }

  /** It is called now: intervals that have passed meanwhile are left out. */
  called(now: number): void {
    this.next += (Math.floor((now - this.next) / this.#everyMs) + 1) * this.#everyMs;
  }
}
