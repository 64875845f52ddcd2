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
  /** Whether the interval doubles with each commit of a backlog, up to the bound: not if the user has chosen it. */
  readonly grows: boolean;
  /** How long finished work waits for more to commit together. */
  readonly lingerMs: number;
  /** Whether work is committed as soon as there is no more of it, and not only when the interval is over. */
  readonly eager: boolean;
}

/** @param atomic - Whether outputs, changes and offsets become durable together. */
export function paceOf(options: AppOptions, atomic: boolean): CommitPaceOptions {
  return {
    eager: atomic || options.until === 'end',
    grows: options.commitInterval === undefined,
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
  /** How many times longer the interval is, after commits in a row before which the work never ended. */
  #growth = 1;
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

  /**
   * A commit has started.
   *
   * @param quiet - Whether there is no more work at the moment.
   */
  begun(quiet: boolean): void {
    this.#since = undefined;
    if (!quiet && this.#options.grows && this.#options.intervalMs * this.#growth < MAX_INTERVAL_MS) this.#growth *= 2;
  }

  /**
   * Time until a commit is due, in ms; 0 or less if it is due. The interval is longer while commits are expensive, and
   * while there is a backlog, whose results are late anyway: a commit writes every changed entry once, however often it
   * has changed, and nothing of what opens and closes between two commits, so fewer commits do the same work more
   * cheaply.
   *
   * @param quiet - Whether there is no more work at the moment.
   * @param lastMs - How long the last commit took.
   */
  waitMs(quiet: boolean, lastMs: number): number {
    const { intervalMs, lingerMs } = this.#options;
    const sinceMs = this.#clock.monotonic() - (this.#since ?? 0);
    if (quiet) this.#growth = 1;
    if (quiet && this.eager) return lingerMs - sinceMs;
    const wanted = Math.max(COMMIT_SHARE * lastMs, intervalMs * this.#growth);
    return Math.max(intervalMs, Math.min(wanted, MAX_INTERVAL_MS)) - sinceMs;
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
