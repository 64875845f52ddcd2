import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { StoredRows } from './stored-rows.ts';
import { msgpackCodec, type ValueCodec } from './value-codec.ts';

/** First byte of entries: rows that wait to be emitted, and rows that have been emitted. */
const WAITS = 1;
const EMITTED = 2;

const CHANGED = 1;
const GONE = 2;

/** A row that waits to be emitted. */
export interface WaitingWindow<K> {
  readonly key: NonNullable<K>;
  readonly window: Window;
  /** Whether the window was merged into another one or deleted after a row of it was emitted. */
  readonly gone: boolean;
  /** For such a window: the timestamp of its deletion. */
  readonly timestamp: number;
}

/** The codec of the marks. */
export function markCodec(store: string): ValueCodec<number> {
  return msgpackCodec<number>(store);
}

/** Windows that have changed since a row of them was emitted: `[what][first number][second number][key]`, in the order of rows. */
export class ChangedWindows<K> implements StateHolder {
  readonly name: string;
  readonly #rows: StoredRows<number>;
  readonly #key: Serde<K>;
  readonly #byEnd: boolean;
  /** Lower bound for the timestamps of waiting deletions; `undefined` until requested. */
  #oldestGone: number | undefined;

  /** @param byEnd - Whether rows are ordered by the ends of windows rather than by their starts. */
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
    // Its earlier row has been emitted and must be retracted if the window disappears again.
    if (waits === GONE) this.#rows.put(this.#at(EMITTED, key, window), CHANGED, window.end);
    this.#rows.put(at, CHANGED, window.start);
  }

  /**
   * The window was merged into another one or deleted: an emitted row of it must be retracted.
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

  /** The window has closed; its last row is emitted elsewhere. */
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

  /** Lower bound for the timestamps of waiting deletions; `Infinity` if none waits. */
  get oldestGone(): number {
    if (this.#oldestGone === undefined) {
      this.#oldestGone = Number.POSITIVE_INFINITY;
      for (const { timestamp, value } of this.#waiting()) {
        if (value === GONE && timestamp < this.#oldestGone) this.#oldestGone = timestamp;
      }
    }
    return this.#oldestGone;
  }

  /** Takes out the waiting rows. */
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
