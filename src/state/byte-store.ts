import type { CacheShare } from './cache-budget.ts';

/**
 * Names a task's share of a store. Its location depends on these three only, so that renaming or reordering steps never
 * loses state.
 */
export interface StoreId {
  readonly applicationId: string;
  /** The store's required name, unique in a pipeline. */
  readonly store: string;
  readonly partition: number;
}

/**
 * A task's share of one store as ordered bytes (unsigned, shorter first). Reads are synchronous and see the last commit;
 * the write-back caches of the typed stores above hold what has been changed since.
 */
export interface ByteStore {
  readonly id: StoreId;
  /** The value, or `undefined`. The bytes are the caller's: they do not change under it. */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Entries with `from <= key < to` in key order. A missing bound is open. Entries that a commit adds or removes while
   * the iteration runs may or may not be seen.
   */
  range(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [key: Uint8Array, value: Uint8Array]>;
  /** The keys of such a range. Reads no values, and little more than is asked for. */
  keys(from?: Uint8Array, to?: Uint8Array): IterableIterator<Uint8Array>;
  /** Where it is present, each change is encoded and checked when it is made, and not only when it is committed. */
  readonly check?: StoreCheck;
  /** What the store above may keep in memory, where that is bounded. */
  readonly cache?: CacheShare;
}

/** Whether an entry can be kept. @throws RecordError when it cannot. */
export type StoreCheck = (key: Uint8Array, value: Uint8Array) => void;

/** The changes of one store since the last commit; applied in order, atomically with the rest of the commit. */
export interface StoreWrites {
  readonly id: StoreId;
  readonly keys: readonly Uint8Array[];
  /** As long as `keys`; `null` deletes. */
  readonly values: readonly (Uint8Array | null)[];
}

/** The stores of an application, for those who only look. */
export interface ReadableStores {
  /** Opens a store. Nothing is made where there is none. */
  open(id: StoreId): ByteStore;
  /** Ids of all that hold entries. */
  list(): readonly StoreId[];
}

/** Where stores live: memory, LMDB. */
export interface StoreBackend {
  /** Opens a store, empty when it has never been written. Opening twice gives two handles on the same entries. */
  open(id: StoreId): ByteStore;
  /** Ids of all stores of an application that hold entries. */
  list(applicationId: string): readonly StoreId[];
  /** Whether all writes can be kept, before anything else is done with them. @throws when they cannot */
  check(writes: readonly StoreWrites[]): void;
  /** Applies all writes or none, now. A session of a transport does this inside its commit instead. */
  apply(writes: readonly StoreWrites[]): void;
}

/** Stores of one process on its machine. @public */
export interface LocalStores extends StoreBackend {
  /** Lets the stores go, for the next process that wants them; they must not be used after that. */
  close(): Promise<void>;
}

/** Opens the stores of an application; called each time that a process joins its group. @public */
export type OpenLocalStores = (applicationId: string) => Promise<LocalStores>;
