import { pause } from '../../dataflow/clock.ts';
import { type ErrorDetails, MillraceError } from '../../errors.ts';
import { exhausted } from './errors.ts';
import type { Machine } from './machine.ts';

export interface RetryOptions {
  /** What is tried, as in "could not …". */
  readonly doing: string;
  /** For how long, in milliseconds. */
  readonly limitMs: number;
  /** The longest pause before the first retry, in milliseconds (20); it doubles, up to a second. */
  readonly firstPauseMs?: number;
  /** Ends the retries. */
  readonly signal?: AbortSignal;
  /** Told with the error when the time is over. */
  readonly details?: ErrorDetails;
  /** Called before each retry. */
  readonly onRetry?: (error: MillraceError, attempt: number) => void;
}

const MAX_PAUSE_MS = 1000;

const isOver = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** Where time and chance come from. */
export type RetryMachine = Pick<Machine, 'clock' | 'random'>;

/** How long to wait, in milliseconds: with full jitter, so that clients that failed together do not come back together. */
export function pauseMs({ random }: Pick<Machine, 'random'>, attempt: number, firstPauseMs = 20): number {
  return random() * Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** Math.min(attempt, 10));
}

/**
 * Tries until it works.
 *
 * @throws MillraceError the failure, when it is not retriable or the signal is set; class `retriable-exhausted` when
 * the time is over.
 */
export async function retrying<T>(machine: RetryMachine, options: RetryOptions, attempt: () => Promise<T>): Promise<T> {
  const { clock } = machine;
  const deadline = clock.monotonic() + options.limitMs;
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof MillraceError) || !error.retriable || isOver(options.signal)) throw error;
      const wait = pauseMs(machine, tries, options.firstPauseMs);
      if (clock.monotonic() + wait > deadline) throw exhausted(options.doing, options.limitMs, error, options.details);
      options.onRetry?.(error, tries + 1);
      await pause(clock, wait, options.signal);
      if (isOver(options.signal)) throw error;
    }
  }
}
