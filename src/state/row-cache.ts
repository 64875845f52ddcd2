import type { ByteStore } from './byte-store.ts';
import { type CacheShare, entryBytes, NO_SHARE } from './cache-budget.ts';

/** A row in memory, above the one that is committed. */
export interface CachedRow {
  /** `undefined` if the row was deleted. */
  readonly value: unknown;
  /** Whether it has changed since the last commit. */
  dirty: boolean;
  /** Whether the byte store may have it, so that removing it requires a write. */
  stored: boolean;
  /** Whether it is queued for eviction. */
  queued: boolean;
  /** Whether it is in memory still: neither evicted nor deleted for good. */
  here: boolean;
  /** Approximate memory, in bytes, as of the last commit. */
  size: number;
}

/** How many stale queue entries are tolerated before a clean-up. */
const SPARE = 1024;

/**
 * The bookkeeping of a write-back cache: which rows have changed since the last commit, which ones a commit in progress is
 * writing, and which ones may be evicted, the longest unused first. The rows themselves are with the store that finds them.
 */
export class RowCache<R extends CachedRow> {
  readonly #entries: number;
  readonly #share: CacheShare;
  readonly #remove: (row: R) => void;
  #size = 0;
  #dirty: R[] = [];
  #flight: R[] = [];
  #clean: R[] = [];
  #complete: boolean;
  #evicted = 0;

  /**
   * @param bytes - What is committed.
   * @param entries - How many rows may stay in memory after a commit.
   * @param remove - Takes a row out of the memory of the store.
   */
  constructor(bytes: ByteStore, entries: number, remove: (row: R) => void) {
    this.#entries = entries;
    this.#share = bytes.cache ?? NO_SHARE;
    this.#remove = remove;
    this.#complete = bytes.keys().next().done === true;
  }

  /** Whether every row is in memory, so that a miss needs no read from the byte store. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Rows in memory. */
  get size(): number {
    return this.#size;
  }

  /** Rows that have changed since the last commit. */
  get dirty(): number {
    return this.#dirty.length;
  }

  /** How many rows have been evicted. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Whether a commit is in progress. */
  get isWriting(): boolean {
    return this.#flight.length > 0;
  }

  /** A row is in memory now, of about so many bytes. */
  added(size: number): void {
    this.#size += 1;
    this.#share.add(size);
  }

  /** A row has been read from the byte store: it may be evicted. */
  loaded(row: R): void {
    this.#queue(row);
  }

  /** A row has changed. */
  touch(row: R): void {
    if (row.dirty) return;
    row.dirty = true;
    this.#dirty.push(row);
    // Rows that come and go between two commits are not kept for the second one.
    if (this.#dirty.length > 2 * this.#size + SPARE) this.#dirty = this.#dirty.filter(isWritten);
  }

  /** Takes a row out of memory. */
  forget(row: R): void {
    row.here = false;
    this.#size -= 1;
    this.#share.add(-row.size);
    this.#remove(row);
  }

  /** What a commit has to write. */
  changed(): R[] {
    return this.#dirty.filter(isWritten);
  }

  /** A commit writes one of these. */
  writes(row: R, keyBytes: number, valueBytes: number): void {
    const size = entryBytes(keyBytes, valueBytes);
    if (size !== row.size) this.#share.add(size - row.size);
    row.size = size;
    row.dirty = false;
    row.stored = true;
    this.#flight.push(row);
  }

  /** The commit has all of them. */
  collected(): void {
    this.#dirty = [];
  }

  /** The commit is acknowledged: what it deleted is gone, and the cache is brought back to its bounds. */
  committed(): void {
    for (const row of this.#flight) {
      if (row.dirty || !row.here) continue;
      if (row.value === undefined) this.forget(row);
      else this.#queue(row);
    }
    this.#flight = [];
    if (this.#clean.length > 2 * this.#size + SPARE) this.#clean = this.#clean.filter(({ here }) => here);
    this.#evict();
  }

  #evict(): void {
    let excess = this.#size - this.#entries;
    let bytes = this.#share.excess();
    let at = 0;
    for (; at < this.#clean.length && (excess > 0 || bytes > 0); at += 1) {
      const row = this.#clean[at] as R;
      row.queued = false;
      // If it has changed since, the next commit queues it again.
      if (row.dirty || !row.here) continue;
      this.forget(row);
      this.#complete = false;
      this.#evicted += 1;
      excess -= 1;
      bytes -= row.size;
    }
    if (at > 0) this.#clean = this.#clean.slice(at);
  }

  #queue(row: R): void {
    if (row.queued) return;
    row.queued = true;
    this.#clean.push(row);
  }
}

/** Whether a commit has to do with a row that has changed: it is there, or the byte store may have it. */
const isWritten = ({ stored, value }: CachedRow): boolean => value !== undefined || stored;
