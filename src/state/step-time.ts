import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/** The limit of stream time; it changes while a task runs. */
export interface TimeLimit {
  readonly limit: number;
}

/** Key of the entry that stores the time. Times are below 2^53, so no key that starts with a time equals this one. */
export const TIME_KEY: Uint8Array = Uint8Array.of(0xff);

const BYTES = 2 * NUMBER_BYTES;

/**
 * The time of one step. The records that reach the step advance it, as far as the task allows. It is kept in a store of
 * the step, so that a late record is still late after a restart. It never goes back.
 */
export class StepTime {
  readonly #limit: TimeLimit;
  #seen = -1;
  #streamTime = -1;
  #storedSeen = -1;
  #storedStreamTime = -1;

  /** @param stored - The stored value of {@link TIME_KEY}. */
  constructor(limit: TimeLimit, stored?: Uint8Array) {
    this.#limit = limit;
    if (stored === undefined) return;
    this.#streamTime = readNumber(stored, 0);
    // Older stores, from before there were limits, have only stream time: the two were then the same.
    this.#seen = stored.length < BYTES ? this.#streamTime : readNumber(stored, NUMBER_BYTES);
    this.#storedSeen = this.#seen;
    this.#storedStreamTime = this.#streamTime;
  }

  /** Highest timestamp of the records that reached the step; −1 before the first one. */
  get seen(): number {
    return this.#seen;
  }

  /** The time that decides what is late and what closes; −1 before the first record. */
  get streamTime(): number {
    return this.#streamTime;
  }

  /** Stream time after a record with this timestamp. */
  reach(timestamp: number): number {
    const { limit } = this.#limit;
    const seen = timestamp > this.#seen ? timestamp : this.#seen;
    const reached = seen < limit ? seen : limit;
    return reached > this.#streamTime ? reached : this.#streamTime;
  }

  /** Called when a record has reached the step. */
  observe(timestamp: number): void {
    this.#streamTime = this.reach(timestamp);
    if (timestamp > this.#seen) this.#seen = timestamp;
  }

  /** Called when the limit has risen. @returns Whether stream time has advanced. */
  advance(): boolean {
    const before = this.#streamTime;
    this.#streamTime = this.reach(-1);
    return this.#streamTime > before;
  }

  /** Called while no records arrive: {@link advance} may then go up to this time. */
  idleTo(time: number): void {
    if (time > this.#seen) this.#seen = time;
  }

  /** Advances stream time without a record and beyond the limit, at the end of the input. */
  moveTo(time: number): void {
    if (time > this.#streamTime) this.#streamTime = time;
    if (time > this.#seen) this.#seen = time;
  }

  /** Adds the entry to the writes of its store, if it has changed since the last call. */
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
