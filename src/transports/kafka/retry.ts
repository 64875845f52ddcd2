import { pause } from '../../dataflow/clock.ts';
import { type ErrorDetails, MillraceError } from '../../errors.ts';
import { exhausted } from './errors.ts';
import type { Machine } from './machine.ts';

export interface RetryOptions {
  /** What is attempted, as in "could not …". */
  readonly doing: string;
  /** How long to retry, in ms. */
  readonly limitMs: number;
  /** The longest pause before the first retry, in ms (default: 20); it doubles, up to a second. */
  readonly firstPauseMs?: number;
  /** Ends the retries. */
  readonly signal?: AbortSignal;
  /** Details of the error when the time is over. */
  readonly details?: ErrorDetails;
  /** Called before each retry. */
  readonly onRetry?: (error: MillraceError, attempt: number) => void;
}

const MAX_PAUSE_MS = 1000;

const isOver = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** The source of time and randomness. */
export type RetryMachine = Pick<Machine, 'clock' | 'random'>;

/** How long to pause, in ms: with full jitter, so that clients that failed together do not retry together. */
export function pauseMs({ random }: Pick<Machine, 'random'>, attempt: number, firstPauseMs = 20): number {
  return random() * Math.min(MAX_PAUSE_MS, firstPauseMs * 2 ** Math.min(attempt, 10));
}

/**
 * Retries until it works.
 *
 * @throws MillraceError the failure, if it is not retriable or the signal is aborted; class `retriable-exhausted` if
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
