import type { KeyId } from './key-codec.ts';
import { NUMBER_BYTES, writeNumber } from './numbers.ts';
import type { CachedRow } from './row-cache.ts';
import { timedPrefix } from './timed-keys.ts';

/** A row in memory, of a key at a time. */
export class HistoryRow<V> implements CachedRow {
  readonly history: KeyHistory<V>;
  readonly time: number;
  readonly number: number;
  /** `undefined` if the row was deleted. */
  value: V | undefined = undefined;
  dirty = false;
  stored: boolean;
  queued = false;
  here = true;
  size: number;

  constructor(history: KeyHistory<V>, time: number, number: number, stored: boolean, size: number) {
    this.history = history;
    this.time = time;
    this.number = number;
    this.stored = stored;
    this.size = size;
  }
}

/** A row that is there. */
export type PresentRow<V> = HistoryRow<V> & { readonly value: V };

/** How many removed rows at the front are tolerated before the list is shortened. */
const SPARE = 32;
const NONE: readonly never[] = [];

/**
 * The rows of one key that are in memory, in order of time, then of number. Rows mostly come at the end and go at the
 * front, and both are free there.
 */
export class KeyHistory<V> {
  readonly id: KeyId;
  /** What the store keys of all its rows start with. */
  readonly keyBytes: Uint8Array;
  /** The first ones have gone: see `#head`. */
  readonly #rows: (HistoryRow<V> | undefined)[] = [];
  #head = 0;
  /** Rows of a commit, while it is being collected. */
  #changed: HistoryRow<V>[] | undefined;

  /** @param key - The bytes of the key. */
  constructor(id: KeyId, key: Uint8Array) {
    this.id = id;
    this.keyBytes = timedPrefix(key);
  }

  get isEmpty(): boolean {
    return this.#head === this.#rows.length;
  }

  find(time: number, number: number): HistoryRow<V> | undefined {
    const row = this.#rows[this.#lowerBound(time, number)];
    return row !== undefined && row.time === time && row.number === number ? row : undefined;
  }

  /** Adds a row at a place that has none. */
  add(row: HistoryRow<V>): void {
    const at = this.#lowerBound(row.time, row.number);
    if (at === this.#rows.length) this.#rows.push(row);
    else this.#rows.splice(at, 0, row);
  }

  remove(row: HistoryRow<V>): void {
    const rows = this.#rows;
    const head = this.#head;
    if (rows[head] !== row) {
      const at = this.#lowerBound(row.time, row.number);
      if (rows[at] === row) rows.splice(at, 1);
      return;
    }
    rows[head] = undefined;
    this.#head += 1;
    if (this.#head === rows.length || (this.#head >= SPARE && this.#head * 2 >= rows.length)) {
      rows.splice(0, this.#head);
      this.#head = 0;
    }
  }

  /** The rows from `from` to `to`, both inclusive, without those that were deleted. */
  list(from: number, to: number): readonly PresentRow<V>[] {
    const rows = this.#rows;
    let found: PresentRow<V>[] | undefined;
    for (let at = this.#lowerBound(from, 0); at < rows.length; at += 1) {
      const row = rows[at] as HistoryRow<V>;
      if (row.time > to) break;
      if (row.value === undefined) continue;
      if (found === undefined) found = [row as PresentRow<V>];
      else found.push(row as PresentRow<V>);
    }
    return found ?? NONE;
  }

  /** All rows from a time on, as they are now, also those that were deleted. */
  from(time: number): readonly HistoryRow<V>[] {
    return this.#rows.slice(this.#lowerBound(time, 0)) as HistoryRow<V>[];
  }

  /** The store key of a row. */
  keyOf(time: number, number: number): Uint8Array {
    const { keyBytes } = this;
    const { length } = keyBytes;
    const bytes = new Uint8Array(length + 2 * NUMBER_BYTES);
    for (let at = 0; at < length; at += 1) bytes[at] = keyBytes[at] as number;
    writeNumber(bytes, length, time);
    writeNumber(bytes, length + NUMBER_BYTES, number);
    return bytes;
  }

  /** Notes a row for the commit that is being collected. @returns Whether it is the first one. */
  changes(row: HistoryRow<V>): boolean {
    const changed = this.#changed;
    if (changed === undefined) this.#changed = [row];
    else changed.push(row);
    return changed === undefined;
  }

  /** Takes out the noted rows, in order of time and number. */
  takeChanged(into: HistoryRow<V>[]): void {
    const changed = this.#changed;
    if (changed === undefined) return;
    this.#changed = undefined;
    if (changed.length > 1) changed.sort(inOrder);
    for (const row of changed) into.push(row);
  }

  /** Index of the first row that is not before a place. */
  #lowerBound(time: number, number: number): number {
    const rows = this.#rows;
    let high = rows.length;
    let low = this.#head;
    const last = rows[high - 1];
    if (low === high || isBefore(last as HistoryRow<V>, time, number)) return high;
    high -= 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(rows[middle] as HistoryRow<V>, time, number)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function isBefore(row: HistoryRow<unknown>, time: number, number: number): boolean {
  return row.time < time || (row.time === time && row.number < number);
}

const inOrder = (left: HistoryRow<unknown>, right: HistoryRow<unknown>): number =>
  left.time - right.time || left.number - right.number;
