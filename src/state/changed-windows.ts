import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { StoredRows } from './stored-rows.ts';
import { msgpackCodec, type ValueCodec } from './value-codec.ts';

/** What entries begin with: rows that wait to be emitted, and rows that were. */
const WAITS = 1;
const EMITTED = 2;

const CHANGED = 1;
const GONE = 2;

/** A row that waits to be emitted. */
export interface WaitingWindow<K> {
  readonly key: NonNullable<K>;
  readonly window: Window;
  /** The window has become part of another one, or was deleted, after a row of it was emitted. */
  readonly gone: boolean;
  /** Of a window that is gone: the timestamp of the row that says so. */
  readonly timestamp: number;
}

/** How the marks of a store are written. */
export function markCodec(store: string): ValueCodec<number> {
  return msgpackCodec<number>(store);
}

/** Windows that have changed since a row of them was emitted: `[what][first number][second number][key]`, in the order of rows. */
export class ChangedWindows<K> implements StateHolder {
  readonly name: string;
  readonly #rows: StoredRows<number>;
  readonly #key: Serde<K>;
  readonly #byEnd: boolean;
  /** No row that waits to take another one back is older; `undefined` before somebody asks. */
  #oldestGone: number | undefined;

  /** @param byEnd - Rows come by the ends of windows, and not by their starts. */
  constructor(bytes: ByteStore, key: Serde<K>, cacheEntries: number, byEnd: boolean) {
    this.name = bytes.id.store;
    this.#rows = new StoredRows(bytes, markCodec(this.name), cacheEntries);
    this.#key = key;
    this.#byEnd = byEnd;
  }

  changed(key: NonNullable<K>, window: Window): void {
    const at = this.#at(WAITS, key, window);
    const waits = this.#rows.get(at)?.value;
    if (waits === CHANGED) return;
    // What it was is still out there, and must be taken back should it go again.
    if (waits === GONE) this.#rows.put(this.#at(EMITTED, key, window), CHANGED, window.end);
    this.#rows.put(at, CHANGED, window.start);
  }

  /**
   * It has become part of another window, or was deleted: what was emitted of it has to be taken back.
   *
   * @param timestamp - Highest timestamp of its records.
   */
  gone(key: NonNullable<K>, window: Window, timestamp: number): void {
    const at = this.#at(WAITS, key, window);
    const emitted = this.#at(EMITTED, key, window);
    if (this.#rows.get(emitted) !== undefined) {
      this.#rows.delete(emitted);
      this.#rows.put(at, GONE, timestamp);
      if (this.#oldestGone !== undefined && timestamp < this.#oldestGone) this.#oldestGone = timestamp;
    } else if (this.#rows.get(at)?.value === CHANGED) {
      this.#rows.delete(at);
    }
  }

  /** It has closed, and its last row is emitted elsewhere. */
  closed(key: NonNullable<K>, window: Window): void {
    for (const what of [WAITS, EMITTED]) {
      const at = this.#at(what, key, window);
      if (this.#rows.get(at) !== undefined) this.#rows.delete(at);
    }
  }

  /** Whether rows wait. */
  get waits(): boolean {
    return this.#waiting().next().done === false;
  }

  /** No row that waits to take another one back is older; `Infinity` where none waits. */
  get oldestGone(): number {
    if (this.#oldestGone === undefined) {
      this.#oldestGone = Number.POSITIVE_INFINITY;
      for (const { timestamp, value } of this.#waiting()) {
        if (value === GONE && timestamp < this.#oldestGone) this.#oldestGone = timestamp;
      }
    }
    return this.#oldestGone;
  }

  /** The rows that wait, each once. */
  take(): WaitingWindow<K>[] {
    const waiting = [...this.#waiting()];
    this.#oldestGone = Number.POSITIVE_INFINITY;
    return waiting.map(({ keyBytes, timestamp, value }) => {
      this.#rows.delete(keyBytes);
      const gone = value === GONE;
      if (!gone) {
        const emitted = keyBytes.slice();
        emitted[0] = EMITTED;
        this.#rows.put(emitted, CHANGED, -1);
      }
      const [first, second] = [readNumber(keyBytes, 1), endOf(readNumber(keyBytes, 1 + NUMBER_BYTES))];
      const window = this.#byEnd ? { start: second, end: first } : { start: first, end: second };
      return { key: this.#key.deserialize(keyBytes.slice(1 + 2 * NUMBER_BYTES)), window, gone, timestamp };
    });
  }

  collect(into: StoreWrites[]): void {
    this.#rows.collect(into);
  }

  committed(): void {
    this.#rows.committed();
  }

  describe(): StoreSnapshot {
    const { cached, dirty } = this.#rows;
    return { name: this.name, cached, dirty };
  }

  *entries(): IterableIterator<StoreEntry> {
    for (const { keyBytes, timestamp, value } of this.#rows.range()) yield { key: keyBytes, value, timestamp };
  }

  #waiting() {
    return this.#rows.range(Uint8Array.of(WAITS), Uint8Array.of(EMITTED));
  }

  #at(what: number, key: NonNullable<K>, { end, start }: Window): Uint8Array {
    const own = this.#key.serialize(key);
    const bytes = new Uint8Array(1 + 2 * NUMBER_BYTES + own.length);
    const last = end === Number.POSITIVE_INFINITY ? Number.MAX_SAFE_INTEGER : end;
    bytes[0] = what;
    writeNumber(bytes, 1, this.#byEnd ? last : start);
    writeNumber(bytes, 1 + NUMBER_BYTES, this.#byEnd ? start : last);
    bytes.set(own, 1 + 2 * NUMBER_BYTES);
    return bytes;
  }
}

function endOf(stored: number): number {
  return stored === Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : stored;
}
