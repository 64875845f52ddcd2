import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { DueIndex } from './due-index.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { StepTime, TIME_KEY, type TimeLimit } from './step-time.ts';

/**
 * The index of a step with waiting rows: its stream time, and keys by the times that they wait for, in parts of one
 * store.
 */
export class Waiting<K, Part extends string> implements StateHolder {
  readonly name: string;
  readonly time: StepTime;
  /** Whether the store has never been written. */
  readonly isNew: boolean;
  readonly #bytes: ByteStore;
  readonly #parts: ReadonlyMap<Part, DueIndex<K>>;

  /** @param parts - The names of the parts, which differ in their first letters. */
  constructor(bytes: ByteStore, key: Serde<K>, limit: TimeLimit, cacheEntries: number, parts: readonly Part[]) {
    this.name = bytes.id.store;
    this.#bytes = bytes;
    this.isNew = bytes.keys().next().done === true;
    this.time = new StepTime(limit, bytes.get(TIME_KEY));
    // ASCII letters, which sort below the key of stream time.
    this.#parts = new Map(
      parts.map((part) => [part, new DueIndex(bytes, Uint8Array.of(part.charCodeAt(0)), key, cacheEntries)]),
    );
  }

  part(name: Part): DueIndex<K> {
    return this.#parts.get(name) as DueIndex<K>;
  }

  collect(into: StoreWrites[]): void {
    const keys: Uint8Array[] = [];
    const values: (Uint8Array | null)[] = [];
    for (const index of this.#parts.values()) index.collect({ keys, values });
    this.time.collect(keys, values);
    if (keys.length > 0) into.push({ id: this.#bytes.id, keys, values });
  }

  committed(): void {
    for (const index of this.#parts.values()) index.committed();
  }

  describe(): StoreSnapshot {
    const parts = [...this.#parts.values()].map((index) => index.describe());
    const sum = (part: 'cached' | 'dirty'): number => parts.reduce((total, each) => total + each[part], 0);
    return { name: this.name, cached: sum('cached'), dirty: sum('dirty'), streamTime: this.time.streamTime };
  }

  /** The waiting keys, with the name of their part. */
  *entries(): IterableIterator<StoreEntry> {
    for (const [value, index] of this.#parts) {
      for (const { key, time } of index.all()) yield { key, value, timestamp: time };
    }
  }
}
