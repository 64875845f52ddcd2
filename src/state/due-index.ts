import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { type DueRow, DueStore } from './due-store.ts';
import { type Changes, prefixed, withPrefix } from './prefixed-bytes.ts';
import type { ValueCodec } from './value-codec.ts';

const PRESENT = Uint8Array.of(1);
/** Entries have no content. */
const MARK: ValueCodec<true> = { encode: () => PRESENT, decode: () => ({ value: true, timestamp: -1 }) };

/**
 * Keys by time, in a part of a store. The cost of taking depends on what is due. Keys can only be taken in order of
 * time.
 */
export class DueIndex<K> {
  /** No entry is earlier; `Infinity` if there are none. */
  first: number;
  readonly #prefix: Uint8Array;
  readonly #rows: DueStore<K, true>;
  /** Everything before it has been taken. */
  #from = 0;

  constructor(bytes: ByteStore, prefix: Uint8Array, key: Serde<K>, cacheEntries: number) {
    this.#prefix = prefix;
    this.#rows = new DueStore(prefixed(bytes, prefix), key, MARK, cacheEntries);
    this.first = this.#rows.nextTime(0);
  }

  has(time: number, key: NonNullable<K>): boolean {
    return this.#rows.get(time, key) !== undefined;
  }

  add(time: number, key: NonNullable<K>): void {
    this.#rows.put(time, key, true);
    if (time < this.first) this.first = time;
  }

  delete(time: number, key: NonNullable<K>): void {
    this.#rows.delete(time, key);
  }

  /**
   * Takes out what is due at `time`, in order of time, then of key bytes. Nothing may be added at that time or earlier
   * afterwards.
   */
  take(time: number): DueRow<K, true>[] {
    if (time < this.first) return [];
    const due = [...this.#rows.dueBy(time, this.#from)];
    for (const row of due) this.#rows.delete(row.time, row.key);
    this.#from = time + 1;
    this.first = this.#rows.nextTime(this.#from);
    return due;
  }

  /** Takes out the first one, whatever its time. */
  takeFirst(): DueRow<K, true> | undefined {
    const { done, value } = this.#rows.dueBy(Number.MAX_SAFE_INTEGER, this.#from).next();
    if (done === true) return undefined;
    this.#rows.delete(value.time, value.key);
    this.first = this.#rows.nextTime(this.#from);
    return value;
  }

  all(): Generator<DueRow<K, true>> {
    return this.#rows.dueBy(Number.MAX_SAFE_INTEGER);
  }

  collect(into: Changes): void {
    const writes: StoreWrites[] = [];
    this.#rows.collect(writes);
    for (const each of writes) withPrefix(this.#prefix, each, into);
  }

  committed(): void {
    this.#rows.committed();
  }

  describe(): { readonly cached: number; readonly dirty: number } {
    return this.#rows.describe();
  }
}
