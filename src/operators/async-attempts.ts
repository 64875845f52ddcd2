import { onAbort } from '../dataflow/abort.ts';
import type { Clock } from '../dataflow/clock.ts';
import { MillraceError, RecordError } from '../errors.ts';
import type { AsyncLimits } from './async-limits.ts';
import type { AsyncCall } from './map-async.ts';
import type { ValuedRecord } from './record-types.ts';

/** The outcome of the calls for a record. */
export type AsyncOutcome<U> = { readonly value: U } | { readonly error: unknown };

/**
 * Calls a function for a record and retries failures: with a time limit per try, doubling pauses, and a limited number
 * of tries.
 */
export class AsyncAttempts<V, R extends ValuedRecord<V>, U> {
  readonly #step: string;
  readonly #project: (value: V, call: AsyncCall<R>) => Promise<U> | U;
  readonly #limits: AsyncLimits;
  readonly #clock: Clock;
  readonly #stop = new AbortController();
  /** Pauses before retries, with their ends by the wall clock. */
  readonly #pauses = new Set<{ readonly until: number }>();

  constructor(
    step: string,
    project: (value: V, call: AsyncCall<R>) => Promise<U> | U,
    limits: AsyncLimits,
    clock: Clock,
  ) {
    this.#step = step;
    this.#project = project;
    this.#limits = limits;
    this.#clock = clock;
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  stop(): void {
    this.#stop.abort(new MillraceError('migrated', 'ERR_STOPPED', `${this.#step} was stopped`));
  }

  /** When the next retry is due, if all `running` calls are pausing. */
  nextAt(running: number): number | undefined {
    if (this.#pauses.size === 0 || this.#pauses.size < running) return undefined;
    return Math.min(...Array.from(this.#pauses, ({ until }) => until));
  }

  /** Never rejects. */
  async of(record: R): Promise<AsyncOutcome<U>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { value: await this.#once(record, attempt) };
      } catch (error) {
        if (attempt > this.#limits.retries || this.#stop.signal.aborted) return { error };
        await this.#pause(this.#limits.backoffMs * 2 ** (attempt - 1));
        if (this.#stop.signal.aborted) return { error };
      }
    }
  }

  async #once(record: R, attempt: number): Promise<U> {
    const { timeoutMs } = this.#limits;
    const stop = this.#stop.signal;
    if (timeoutMs === undefined) return this.#project(record.value, { record, signal: stop, attempt });
    const timeout = new AbortController();
    const late = new RecordError('ERR_ASYNC_TIMEOUT', `${this.#step} took more than ${timeoutMs} ms`, {
      hint: 'raise { timeout }, or make the function answer sooner; its signal was aborted',
    });
    const signal = AbortSignal.any([stop, timeout.signal]);
    const timedOut = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    // If the function throws synchronously, nobody awaits this promise.
    timedOut.catch(() => undefined);
    const cancel = this.#clock.after(timeoutMs, () => timeout.abort(late));
    try {
      return await Promise.race([this.#project(record.value, { record, signal, attempt }), timedOut]);
    } finally {
      cancel();
    }
  }

  #pause(ms: number): Promise<void> {
    const pause = { until: this.#clock.now() + ms };
    this.#pauses.add(pause);
    return new Promise((resolve) => {
      const done = (): void => {
        this.#pauses.delete(pause);
        cancel();
        ignore();
        resolve();
      };
      const cancel = this.#clock.after(ms, done);
      const ignore = onAbort(this.#stop.signal, done);
    });
  }
}
