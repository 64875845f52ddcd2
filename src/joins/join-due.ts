import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from '../state/byte-store.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from '../state/state-holder.ts';
import { StepTime, TIME_KEY, type TimeLimit } from '../state/step-time.ts';
import { DueIndex } from './due-index.ts';

/** Prefixes of the parts, in ASCII: below that of stream time. */
const LEFT = Uint8Array.of('L'.charCodeAt(0));
const RIGHT = Uint8Array.of('R'.charCodeAt(0));

/** What a join keeps beside its rows: its stream time, and which rows have no partner yet. */
export class JoinDue<K> implements StateHolder {
  readonly name: string;
  readonly time: StepTime;
  /** Records of the left side without a partner, by their time. */
  readonly left: DueIndex<K>;
  /** Records of the right side without a partner, by their time. */
  readonly right: DueIndex<K>;
  readonly #bytes: ByteStore;

  constructor(bytes: ByteStore, key: Serde<K>, limit: TimeLimit, cacheEntries: number) {
    this.name = bytes.id.store;
    this.#bytes = bytes;
    this.time = new StepTime(limit, bytes.get(TIME_KEY));
    this.left = new DueIndex(bytes, LEFT, key, cacheEntries);
    this.right = new DueIndex(bytes, RIGHT, key, cacheEntries);
  }

  collect(into: StoreWrites[]): void {
    const keys: Uint8Array[] = [];
    const values: (Uint8Array | null)[] = [];
    for (const index of [this.left, this.right]) index.collect({ keys, values });
    this.time.collect(keys, values);
    if (keys.length > 0) into.push({ id: this.#bytes.id, keys, values });
  }

  committed(): void {
    for (const index of [this.left, this.right]) index.committed();
  }

  describe(): StoreSnapshot {
    const parts = [this.left, this.right].map((index) => index.describe());
    const sum = (part: 'cached' | 'dirty'): number => parts.reduce((total, each) => total + each[part], 0);
    return { name: this.name, cached: sum('cached'), dirty: sum('dirty'), streamTime: this.time.streamTime };
  }

  /** The records that wait for a partner. */
  *entries(): IterableIterator<StoreEntry> {
    for (const [value, index] of [
      ['left', this.left],
      ['right', this.right],
    ] as const) {
      for (const { key, time } of index.all()) yield { key, value, timestamp: time };
    }
  }
}
