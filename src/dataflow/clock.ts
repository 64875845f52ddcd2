import { onAbort } from './abort.ts';
import { soon } from './soon.ts';

/** Cancels a timer. Calling it twice or too late has no effect. @public */
export type Cancel = () => void;

/** Where time comes from: the machine, or a test. @public */
export interface Clock {
  /** Wall-clock time in ms since the epoch. May jump. */
  now(): number;
  /** Time in ms that never goes backwards, for time-outs and durations. */
  monotonic(): number;
  /** Calls `callback` once after `ms`. Timers do not keep the process alive. */
  after(ms: number, callback: () => void): Cancel;
  /** Calls `callback` once, after the pending events have been handled. */
  soon(callback: () => void): void;
}

/** The system clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer: unknown = setTimeout(callback, ms);
    // Node's timers keep the process alive unless unref'ed; a browser's timers are numbers.
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
      timer.unref();
    return () => clearTimeout(timer as number);
  },
  soon,
};

/** The system clock with timers that keep the process alive, for work that must not be abandoned. */
export const holdingClock: Clock = {
  ...systemClock,
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** Calls `callback` every `ms`, the first time after `ms`, until it is cancelled. */
export function every(clock: Clock, ms: number, callback: () => void): Cancel {
  let cancel: Cancel;
  const next = (): void => {
    cancel = clock.after(ms, () => {
      next();
      callback();
    });
  };
  next();
  return () => cancel();
}

/** Resolves after some time, or when the signal is aborted. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const done = (): void => {
      cancel();
      ignore?.();
      resolve();
    };
    const cancel = clock.after(ms, done);
    const ignore = signal && onAbort(signal, done);
  });
}
