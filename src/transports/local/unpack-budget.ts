import { type Clock, holdingClock } from '../../dataflow/clock.ts';

/** What unpacked batches may take in this process unless told otherwise, in bytes. */
export const DEFAULT_UNPACKED_BYTES: number = 128 * 1024 * 1024;

/**
 * The memory of all unpacked batches of the process. A few kilobytes of a producer can unpack to many megabytes, so that
 * a bound for each partition would be none.
 */
export class UnpackBudget {
  /** Of those who wait for room. */
  readonly clock: Clock;
  #used = 0;
  #rests = false;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock = holdingClock) {
    this.clock = clock;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes memory if that much is free. */
  take(bytes: number, limit: number): boolean {
    if (this.#used + bytes > limit) return false;
    this.#used += bytes;
    return true;
  }

  /** Takes memory in any case: for what could not wait any longer. */
  overdraw(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    if (bytes === 0) return;
    this.#used -= bytes;
    this.#wake();
  }

  /** Whether much was unpacked in this turn of the event loop, and the rest is to wait for the next one. */
  get rests(): boolean {
    return this.#rests;
  }

  /** Something large was unpacked: heartbeats and answers come before the next one. */
  rest(): void {
    if (this.#rests) return;
    this.#rests = true;
    this.clock.soon(() => {
      this.#rests = false;
      this.#wake();
    });
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** Calls back once when memory was given back. */
  onFree(wake: () => void): void {
    this.#waiting.add(wake);
  }

  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}

/** The one of this process. */
export const unpackBudget: UnpackBudget = new UnpackBudget();
