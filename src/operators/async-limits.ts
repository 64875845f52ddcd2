import { type Duration, durationMs } from '../options/duration.ts';
import { checkWhole, type OptionNames } from '../options/option-checks.ts';

/** The limits of the calls of a step. */
export interface AsyncLimits {
  readonly concurrency: number;
  readonly retries: number;
  readonly timeoutMs: number | undefined;
  readonly backoffMs: number;
}

/** @public */
export interface MapAsyncOptions {
  /** The most concurrent calls per task (default: 16). */
  readonly concurrency?: number;
  /** How long one try may take (default: unlimited). */
  readonly timeout?: Duration;
  /** How often to retry a failed call (default: 0). */
  readonly retries?: number;
  /** Pause before the first retry, doubled before each further one (default: 100 ms). */
  readonly backoff?: Duration;
}

export const ASYNC_OPTIONS: OptionNames<MapAsyncOptions> = {
  concurrency: true,
  timeout: true,
  retries: true,
  backoff: true,
};

/** @throws ConfigError `ERR_OPTION`, `ERR_DURATION`. */
export function asyncLimits(where: string, options: MapAsyncOptions): AsyncLimits {
  checkWhole(where, 'concurrency', options.concurrency, 1);
  checkWhole(where, 'retries', options.retries);
  return {
    concurrency: options.concurrency ?? 16,
    retries: options.retries ?? 0,
    timeoutMs: options.timeout === undefined ? undefined : durationMs(options.timeout, 'timeout'),
    backoffMs: durationMs(options.backoff ?? '100ms', 'backoff'),
  };
}
