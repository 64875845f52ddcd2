import { type Clock, holdingClock } from '../../dataflow/clock.ts';

/** Default limit for the unpacked batches of this process, in bytes. */
export const DEFAULT_UNPACKED_BYTES: number = 128 * 1024 * 1024;

/**
 * The memory budget for all unpacked batches of the process. A few kilobytes from a producer can unpack to many
 * megabytes, so a limit per partition would not be enough.
 */
export class UnpackBudget {
  /** The clock of those that wait for room. */
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

  /** Takes memory unconditionally, for a record that cannot wait any longer. */
  overdraw(bytes: number): void {
    this.#used += bytes;
  }

  give(bytes: number): void {
    if (bytes === 0) return;
    this.#used -= bytes;
    this.#wake();
  }

  /** Whether much was unpacked in this turn of the event loop, so that the rest must wait for the next one. */
  get rests(): boolean {
    return this.#rests;
  }

  /** Called after unpacking a large batch: heartbeats and responses get a turn before the next one. */
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

  /** Calls back once when memory has been released. */
  onFree(wake: () => void): void {
    this.#waiting.add(wake);
  }

  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}

/** The budget of this process. */
export const unpackBudget: UnpackBudget = new UnpackBudget();
