import type { ByteStore } from './byte-store.ts';
import { OrderedBytes } from './ordered-bytes.ts';
import { compareBytes } from './sorted-keys.ts';

type Row = readonly [key: Uint8Array, value: Uint8Array];

/** Marks a deleted entry; compared by identity. */
const GONE = new Uint8Array(0);

/**
 * A byte store overlaid with the changes since the last commit, in one order, so that ranges see uncommitted changes.
 * Changes handed to a commit stay visible until it is acknowledged.
 */
export class ChangedBytes {
  readonly #bytes: ByteStore;
  #changes = new OrderedBytes();
  /** Changes handed to the commit in progress. */
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
    // An entry that was added and deleted between two commits is not written at all.
    if (changed !== undefined && changed !== GONE && this.#older(key) === undefined) this.#changes.delete(key);
    else this.#changes.set(key, GONE);
  }

  /**
   * Entries with `from <= key < to` in key order. It stays in order if entries are added or removed during the
   * iteration.
   */
  *range(from?: Uint8Array, to?: Uint8Array): IterableIterator<Row> {
    const older = this.#bytes.range(from, to);
    const committing = this.#committing;
    const rows = committing === undefined ? older : layered(committing.range(from, to), older);
    for (const row of layered(this.#changes.range(from, to), rows)) if (row[1] !== GONE) yield row;
  }

  /** Hands the changes to a commit. */
  collect(keys: Uint8Array[], values: (Uint8Array | null)[]): void {
    if (this.#changes.size === 0) return;
    for (const [key, value] of this.#changes.range()) {
      keys.push(key);
      values.push(value === GONE ? null : value);
    }
    this.#committing = this.#changes;
    this.#changes = new OrderedBytes();
  }

  /** The changes handed to the commit are in the store now. */
  committed(): void {
    this.#committing = undefined;
  }

  #older(key: Uint8Array): Uint8Array | undefined {
    const changed = this.#committing?.get(key);
    return changed === undefined ? this.#bytes.get(key) : changed === GONE ? undefined : changed;
  }
}

/** Merges two ranges; if both have a key, the newer one wins. */
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
