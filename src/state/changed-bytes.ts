import type { ByteStore } from './byte-store.ts';
import { OrderedBytes } from './ordered-bytes.ts';
import { compareBytes } from './sorted-keys.ts';

type Row = readonly [key: Uint8Array, value: Uint8Array];

/** Stands for an entry that is gone; told by identity. */
const GONE = new Uint8Array(0);

/**
 * A byte store with what was changed since the last commit on top, in one order: what a range must see before it is
 * committed. What a commit has taken stays visible until it is acknowledged.
 */
export class ChangedBytes {
  readonly #bytes: ByteStore;
  #changes = new OrderedBytes();
  /** Handed to the commit that is under way. */
  #committing: OrderedBytes | undefined;

  constructor(bytes: ByteStore) {
    this.#bytes = bytes;
  }

  /** Changes since the last commit. */
  get size(): number {
    return this.#changes.size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const changed = this.#changes.get(key);
    return changed === undefined ? this.#older(key) : changed === GONE ? undefined : changed;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#changes.set(key, value);
  }

  delete(key: Uint8Array): void {
    const changed = this.#changes.get(key);
    // What came and went between two commits is written nowhere.
    if (changed !== undefined && changed !== GONE && this.#older(key) === undefined) this.#changes.delete(key);
    else this.#changes.set(key, GONE);
  }

  /** Entries with `from <= key < to` in key order. Goes on in order when entries are added or removed on the way. */
  *range(from?: Uint8Array, to?: Uint8Array): IterableIterator<Row> {
    const older = this.#bytes.range(from, to);
    const committing = this.#committing;
    const rows = committing === undefined ? older : layered(committing.range(from, to), older);
    for (const row of layered(this.#changes.range(from, to), rows)) if (row[1] !== GONE) yield row;
  }

  /** Hands the changes over to a commit. */
  collect(keys: Uint8Array[], values: (Uint8Array | null)[]): void {
    if (this.#changes.size === 0) return;
    for (const [key, value] of this.#changes.range()) {
      keys.push(key);
      values.push(value === GONE ? null : value);
    }
    this.#committing = this.#changes;
    this.#changes = new OrderedBytes();
  }

  /** What was handed over is in the store now. */
  committed(): void {
    this.#committing = undefined;
  }

  #older(key: Uint8Array): Uint8Array | undefined {
    const changed = this.#committing?.get(key);
    return changed === undefined ? this.#bytes.get(key) : changed === GONE ? undefined : changed;
  }
}

/** Two ranges as one: where both have a key the newer one counts. */
function* layered(newer: Iterator<Row>, older: Iterator<Row>): IterableIterator<Row> {
  let upper = newer.next();
  let lower = older.next();
  while (upper.done !== true || lower.done !== true) {
    const order = upper.done === true ? 1 : lower.done === true ? -1 : compareBytes(upper.value[0], lower.value[0]);
    if (order <= 0) {
      yield upper.value as Row;
      upper = newer.next();
      if (order === 0) lower = older.next();
    } else {
      yield lower.value as Row;
      lower = older.next();
    }
  }
}
