import type { Window } from '../record.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';

/** A part of a task that holds state between commits. */
export interface StateHolder {
  readonly name: string;
  /** Encodes what changed since the last call. */
  collect(into: StoreWrites[]): void;
  /** What `collect` handed over last is now in the store: clean entries may be forgotten. */
  committed(): void;
  /** For snapshots. */
  describe(): StoreSnapshot;
  /** Live entries in store order, those of the running commit interval included. For tests and tools. */
  entries(): Iterable<StoreEntry>;
  /** Its entries as bytes, as they are now, where its spec says how to read them. */
  view?(): ByteStore;
}

/** An entry of a store as a test or a tool sees it. @public */
export interface StoreEntry {
  readonly key: unknown;
  /** The row of a table, or the result of an aggregate. */
  readonly value: unknown;
  /** Event time in ms: highest timestamp of what made the value. */
  readonly timestamp: number;
  /** In window stores. */
  readonly window?: Window;
}

/** A store at one moment. @public */
export interface StoreSnapshot {
  readonly name: string;
  /** Entries held decoded in memory. */
  readonly cached: number;
  /** Entries changed since the last commit. */
  readonly dirty: number;
  /** Open windows, in window stores. */
  readonly openWindows?: number;
  /** The earliest end of an open window, epoch ms; left out where none is open. */
  readonly firstEnd?: number;
  /** Stream time of the step that owns the store; −1 before its first record. */
  readonly streamTime?: number;
}
