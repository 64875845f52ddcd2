import type { Window } from '../record.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';

/** A part of a task that holds state between commits. */
export interface StateHolder {
  readonly name: string;
  /** Encodes what changed since the last call. */
  collect(into: StoreWrites[]): void;
  /** What the last `collect` returned is now in the store: clean entries may be evicted. */
  committed(): void;
  /** For snapshots. */
  describe(): StoreSnapshot;
  /** Current entries in store order, including uncommitted ones. For tests and tools. */
  entries(): Iterable<StoreEntry>;
  /** The current entries as bytes, if its spec says how to read them. */
  view?(): ByteStore;
}

/** An entry of a store, for tests and tools. @public */
export interface StoreEntry {
  readonly key: unknown;
  /** The row of a table, or the result of an aggregate. */
  readonly value: unknown;
  /** Event time in ms: the highest timestamp of the records that made the value. */
  readonly timestamp: number;
  /** Only in window stores. */
  readonly window?: Window;
}

/** A snapshot of a store. @public */
export interface StoreSnapshot {
  readonly name: string;
  /** Entries held decoded in memory. */
  readonly cached: number;
  /** Entries changed since the last commit. */
  readonly dirty: number;
  /** Open windows, in window stores. */
  readonly openWindows?: number;
  /** The earliest end of an open window, in ms since the epoch; missing if none is open. */
  readonly firstEnd?: number;
  /** Stream time of the step that owns the store; −1 before its first record. */
  readonly streamTime?: number;
}
