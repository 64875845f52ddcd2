import type { Cancel, Clock } from '../../dataflow/clock.ts';
import { durationMs } from '../../options/duration.ts';
import type { AppOptions } from './app-options.ts';

/**
 * Under load the time between commits is at least this many times the duration of the last one, up to a bound in ms.
 */
const COMMIT_SHARE = 5;
const MAX_INTERVAL_MS = 1000;

export interface CommitPaceOptions {
  /** Time between commits while there is work. */
  readonly intervalMs: number;
  /** How long finished work waits for more to commit together. */
  readonly lingerMs: number;
  /** Whether work is committed as soon as there is no more of it, and not only when the interval is over. */
  readonly eager: boolean;
}

/** @param atomic - Whether outputs, changes and offsets become durable together. */
export function paceOf(options: AppOptions, atomic: boolean): CommitPaceOptions {
  return {
    eager: atomic || options.until === 'end',
    intervalMs: durationMs(options.commitInterval ?? (atomic ? '250ms' : '5s'), 'commitInterval'),
    lingerMs: durationMs(options.batch?.linger ?? '0ms', 'linger'),
  };
}

/** Decides when a commit is due. */
export class CommitPace {
  readonly eager: boolean;
  readonly #clock: Clock;
  readonly #options: CommitPaceOptions;
  readonly #wake: () => void;
  /** Since when there is something to commit. */
  #since: number | undefined;
  #cancel: Cancel | undefined;

  /** @param wake - Called when a commit may be due that was not before. */
  constructor(clock: Clock, options: CommitPaceOptions, wake: () => void) {
    this.eager = options.eager;
    this.#clock = clock;
    this.#options = options;
    this.#wake = wake;
  }

  /** Takes note whether there is anything to commit. */
  note(dirty: boolean): boolean {
    if (dirty) this.#since ??= this.#clock.monotonic();
    else this.#since = undefined;
    return dirty;
  }

  /** A commit has started. */
  begun(): void {
    this.#since = undefined;
  }

  /**
   * Time until a commit is due, in ms; 0 or less if it is due. The interval is longer while commits are expensive: a
   * commit writes every changed entry once, however often it has changed, so under load fewer commits do the same work
   * more cheaply.
   *
   * @param quiet - Whether there is no more work at the moment.
   * @param lastMs - How long the last commit took.
   */
  waitMs(quiet: boolean, lastMs: number): number {
    const { intervalMs, lingerMs } = this.#options;
    const sinceMs = this.#clock.monotonic() - (this.#since ?? 0);
    if (quiet && this.eager) return lingerMs - sinceMs;
    return Math.max(intervalMs, Math.min(COMMIT_SHARE * lastMs, MAX_INTERVAL_MS)) - sinceMs;
  }

  /** Wakes once after some time, unless a wake-up is already scheduled. */
  wakeIn(ms: number): void {
    this.#cancel ??= this.#clock.after(ms, () => {
      this.#cancel = undefined;
      this.#wake();
    });
  }

  close(): void {
    this.#cancel?.();
  }
}
