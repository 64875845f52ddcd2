import type { Serde } from '../serdes/serde.ts';
import type { ChangedBytes } from './changed-bytes.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';

/** Beginning of the entries by time: `[prefix][time][key]`. */
const BY_TIME = 1;
/** Beginning of the entries by key: `[prefix][key]`, with the times of the key as value. */
const BY_KEY = 2;
const PRESENT = Uint8Array.of(1);
const NO_TIMES: readonly number[] = [];

/** A timer that is due. */
export interface DueTimer<K> {
  readonly time: number;
  readonly key: NonNullable<K>;
  readonly keyBytes: Uint8Array;
}

interface Change {
  readonly keyBytes: Uint8Array;
  readonly before: readonly number[];
}

/**
 * The timers of one name, any number for each key, as entries of a store: by time, so that the next to fire is found
 * whatever else is set, and by key, so that a key's timers can be moved. What changed since {@link keep} can be undone.
 */
export class KeyTimers<K> {
  readonly name: string;
  /** No timer is earlier: at or below the first one. `Infinity` where there is none. */
  earliest = 0;
  readonly #entries: ChangedBytes;
  readonly #serde: Serde<K>;
  readonly #prefix: Uint8Array;
  readonly #check: ((key: Uint8Array, value: Uint8Array) => void) | undefined;
  readonly #changes: Change[] = [];

  /** @param prefix - What the entries begin with; ends with a zero. */
  constructor(
    name: string,
    entries: ChangedBytes,
    prefix: Uint8Array,
    serde: Serde<K>,
    check: ((key: Uint8Array, value: Uint8Array) => void) | undefined,
  ) {
    this.name = name;
    this.#entries = entries;
    this.#prefix = prefix;
    this.#serde = serde;
    this.#check = check;
    this.refresh();
  }

  /** The times of a key, earliest first. */
  times(key: NonNullable<K>): readonly number[] {
    return this.#timesOf(this.#serde.serialize(key));
  }

  /** One more time for a key. */
  add(key: NonNullable<K>, time: number): void {
    const keyBytes = this.#serde.serialize(key);
    const before = this.#timesOf(keyBytes);
    if (before.includes(time)) return;
    this.#record(
      keyBytes,
      before,
      [...before, time].sort((left, right) => left - right),
    );
  }

  /** The times of a key, instead of those that it had. */
  replace(key: NonNullable<K>, times: readonly number[]): void {
    const keyBytes = this.#serde.serialize(key);
    this.#record(keyBytes, this.#timesOf(keyBytes), times);
  }

  /** The first timer in the order of time and key bytes, at `until` or before. @param after - Only those behind this one. */
  first(until: number, after: DueTimer<K> | undefined, including: boolean): DueTimer<K> | undefined {
    if (this.earliest > until) return undefined;
    const from =
      after === undefined ? this.#timeKey(this.earliest) : this.#timeKey(after.time, after.keyBytes, including ? 0 : 1);
    const { done, value } = this.#entries.range(from, this.#timeKey(until + 1)).next();
    return done === true ? undefined : this.#due(value[0]);
  }

  /** All timers, in the order of time and key bytes. */
  *all(): IterableIterator<DueTimer<K>> {
    for (const [entry] of this.#entries.range(this.#timeKey(0), this.#beginning(BY_KEY))) yield this.#due(entry);
  }

  /** It fires: it is not there any more, whatever becomes of that. */
  remove({ keyBytes, time }: DueTimer<K>): void {
    const before = this.#timesOf(keyBytes);
    this.#apply(
      keyBytes,
      before,
      before.filter((each) => each !== time),
    );
  }

  /** Finds out which timer is the first. */
  refresh(): void {
    if (this.earliest === Number.POSITIVE_INFINITY) return;
    const { done, value } = this.#entries.range(this.#timeKey(this.earliest), this.#beginning(BY_KEY)).next();
    this.earliest = done === true ? Number.POSITIVE_INFINITY : this.#due(value[0]).time;
  }

  /** What was changed stays so. @returns Whether something was. */
  keep(): boolean {
    if (this.#changes.length === 0) return false;
    this.#changes.length = 0;
    return true;
  }

  undo(): void {
    for (let change = this.#changes.pop(); change !== undefined; change = this.#changes.pop()) {
      this.#apply(change.keyBytes, this.#timesOf(change.keyBytes), change.before);
    }
  }

  #timesOf(keyBytes: Uint8Array): readonly number[] {
    const stored = this.#entries.get(this.#keyKey(keyBytes));
    if (stored === undefined) return NO_TIMES;
    const times: number[] = [];
    for (let at = 0; at < stored.length; at += NUMBER_BYTES) times.push(readNumber(stored, at));
    return times;
  }

  #record(keyBytes: Uint8Array, before: readonly number[], after: readonly number[]): void {
    if (this.#check !== undefined && after.length > 0) {
      this.#check(this.#keyKey(keyBytes), bytesOf(after));
      this.#check(this.#timeKey(0, keyBytes), PRESENT);
    }
    this.#changes.push({ keyBytes, before });
    this.#apply(keyBytes, before, after);
  }

  #apply(keyBytes: Uint8Array, before: readonly number[], after: readonly number[]): void {
    for (const time of before) if (!after.includes(time)) this.#entries.delete(this.#timeKey(time, keyBytes));
    for (const time of after) {
      if (before.includes(time)) continue;
      this.#entries.set(this.#timeKey(time, keyBytes), PRESENT);
      if (time < this.earliest) this.earliest = time;
    }
    if (after.length === 0) this.#entries.delete(this.#keyKey(keyBytes));
    else this.#entries.set(this.#keyKey(keyBytes), bytesOf(after));
  }

  #due(entry: Uint8Array): DueTimer<K> {
    const at = this.#prefix.length + 1;
    const keyBytes = entry.slice(at + NUMBER_BYTES);
    return { time: readNumber(entry, at), key: this.#serde.deserialize(keyBytes), keyBytes };
  }

  /** @param behind - Zeros behind the key: one makes what comes right after it. */
  #timeKey(time: number, keyBytes: Uint8Array = NO_KEY, behind = 0): Uint8Array {
    const start = this.#prefix.length + 1;
    const entry = this.#beginning(BY_TIME, NUMBER_BYTES + keyBytes.length + behind);
    writeNumber(entry, start, time);
    entry.set(keyBytes, start + NUMBER_BYTES);
    return entry;
  }

  #keyKey(keyBytes: Uint8Array): Uint8Array {
    const entry = this.#beginning(BY_KEY, keyBytes.length);
    entry.set(keyBytes, this.#prefix.length + 1);
    return entry;
  }

  #beginning(kind: number, room = 0): Uint8Array {
    const entry = new Uint8Array(this.#prefix.length + 1 + room);
    entry.set(this.#prefix);
    entry[this.#prefix.length] = kind;
    return entry;
  }
}

const NO_KEY = new Uint8Array(0);

function bytesOf(times: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(times.length * NUMBER_BYTES);
  for (const [at, time] of times.entries()) writeNumber(bytes, at * NUMBER_BYTES, time);
  return bytes;
}
