import type { CacheShare } from './cache-budget.ts';

/**
 * Identifies a task's share of a store. Its location depends only on these three, so renaming or reordering steps never
 * loses state.
 */
export interface StoreId {
  readonly applicationId: string;
  /** The store's required name, unique in a pipeline. */
  readonly store: string;
  readonly partition: number;
}

/**
 * A task's share of one store as ordered bytes (unsigned, shorter first). Reads are synchronous and see the last
 * commit; changes since then are in the write-back caches of the typed stores above.
 */
export interface ByteStore {
  readonly id: StoreId;
  /** The value, or `undefined`. The bytes belong to the caller and do not change. */
  get(key: Uint8Array): Uint8Array | undefined;
  /**
   * Entries with `from <= key < to` in key order. A missing bound is open. Entries that a commit adds or removes during
   * the iteration may or may not be included.
   */
  range(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [key: Uint8Array, value: Uint8Array]>;
  /** The keys of such a range. It reads no values, and little more than requested. */
  keys(from?: Uint8Array, to?: Uint8Array): IterableIterator<Uint8Array>;
  /** If present, each change is encoded and checked when it is made, and not only at the commit. */
  readonly check?: StoreCheck;
  /** How much the store above may keep in memory, if that is bounded. */
  readonly cache?: CacheShare;
}

/** Checks whether an entry can be stored. @throws RecordError if it cannot. */
export type StoreCheck = (key: Uint8Array, value: Uint8Array) => void;

/** The changes of one store since the last commit; applied in order, atomically with the rest of the commit. */
export interface StoreWrites {
  readonly id: StoreId;
  readonly keys: readonly Uint8Array[];
  /** Same length as `keys`; `null` deletes. */
  readonly values: readonly (Uint8Array | null)[];
}

/** The stores of an application, for reading. */
export interface ReadableStores {
  /** Opens a store. A missing one is not created. */
  open(id: StoreId): ByteStore;
  /** Ids of all stores with entries. */
  list(): readonly StoreId[];
}

/** Where stores are kept: memory, LMDB. */
export interface StoreBackend {
  /** Opens a store, which is empty if it was never written. Opening it twice gives two handles for the same entries. */
  open(id: StoreId): ByteStore;
  /** Ids of all stores of an application with entries. */
  list(applicationId: string): readonly StoreId[];
  /** Checks whether all writes can be stored, before anything else is done with them. @throws if they cannot */
  check(writes: readonly StoreWrites[]): void;
  /** Applies all writes or none, immediately. The session of a transport does this inside its commit instead. */
  apply(writes: readonly StoreWrites[]): void;
}

/** Stores of one process on its machine. @public */
export interface LocalStores extends StoreBackend {
  /** Releases the stores for other processes; don't use them afterwards. */
  close(): Promise<void>;
}

/** Opens the stores of an application; called whenever a process joins its group. @public */
export type OpenLocalStores = (applicationId: string) => Promise<LocalStores>;
