import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/** How far stream time may go; it changes while a task runs. */
export interface TimeLimit {
  readonly limit: number;
}

/** Key of the entry that holds it. Times are below 2^53, so no key that begins with a time is this one. */
export const TIME_KEY: Uint8Array = Uint8Array.of(0xff);

const BYTES = 2 * NUMBER_BYTES;

/**
 * The time of one step. It is moved by the records that reach the step, as far as the task allows, and kept in a store of
 * the step, so that a record that was late stays late after a restart. It never goes back.
 */
export class StepTime {
  readonly #limit: TimeLimit;
  #seen = -1;
  #streamTime = -1;
  #storedSeen = -1;
  #storedStreamTime = -1;

  /** @param stored - What the store has under {@link TIME_KEY}. */
  constructor(limit: TimeLimit, stored?: Uint8Array) {
    this.#limit = limit;
    if (stored === undefined) return;
    this.#streamTime = readNumber(stored, 0);
    // Stores from before limits have stream time only: then the two were the same.
    this.#seen = stored.length < BYTES ? this.#streamTime : readNumber(stored, NUMBER_BYTES);
    this.#storedSeen = this.#seen;
    this.#storedStreamTime = this.#streamTime;
  }

  /** Highest timestamp of the records that reached the step; −1 before the first one. */
  get seen(): number {
    return this.#seen;
  }

  /** What decides whether something is late or closes; −1 before the first record. */
  get streamTime(): number {
    return this.#streamTime;
  }

  /** What stream time becomes with a record. */
  reach(timestamp: number): number {
    const { limit } = this.#limit;
    const seen = timestamp > this.#seen ? timestamp : this.#seen;
    const reached = seen < limit ? seen : limit;
    return reached > this.#streamTime ? reached : this.#streamTime;
  }

  /** A record has reached the step. */
  observe(timestamp: number): void {
    this.#streamTime = this.reach(timestamp);
    if (timestamp > this.#seen) this.#seen = timestamp;
  }

  /** The limit has risen. @returns Whether stream time has moved. */
  advance(): boolean {
    const before = this.#streamTime;
    this.#streamTime = this.reach(-1);
    return this.#streamTime > before;
  }

  /** Nothing comes, and so much time is over: {@link advance} may go there. */
  idleTo(time: number): void {
    if (time > this.#seen) this.#seen = time;
  }

  /** Moves stream time without a record, whatever the limit: at the end of the input. */
  moveTo(time: number): void {
    if (time > this.#streamTime) this.#streamTime = time;
    if (time > this.#seen) this.#seen = time;
  }

  /** Adds the entry to what its store writes, when it has changed since the last call. */
  collect(keys: Uint8Array[], values: (Uint8Array | null)[]): void {
    if (this.#seen === this.#storedSeen && this.#streamTime === this.#storedStreamTime) return;
    const entry = new Uint8Array(BYTES);
    writeNumber(entry, 0, this.#streamTime);
    writeNumber(entry, NUMBER_BYTES, this.#seen);
    keys.push(TIME_KEY);
    values.push(entry);
    this.#storedSeen = this.#seen;
    this.#storedStreamTime = this.#streamTime;
  }
}
