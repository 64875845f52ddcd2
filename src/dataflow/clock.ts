import { soon } from './soon.ts';

/** Cancels a timer; calling it again or too late does nothing. @public */
export type Cancel = () => void;

/** Where time comes from: the machine, or a test. @public */
export interface Clock {
  /** Wall-clock time in ms since the epoch. May jump. */
  now(): number;
  /** Time in ms that only moves forward, for time-outs and durations. */
  monotonic(): number;
  /** Calls `callback` once after `ms`. Timers do not keep a process alive. */
  after(ms: number, callback: () => void): Cancel;
  /** Calls `callback` once, after the events that wait now have been handled. */
  soon(callback: () => void): void;
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    const timer: unknown = setTimeout(callback, ms);
    // Node's timers hold the process open, a browser's are numbers.
    if (typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function')
      timer.unref();
    return () => clearTimeout(timer as number);
  },
  soon,
};
