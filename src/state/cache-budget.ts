import type { ByteStore } from './byte-store.ts';

/**
 * What all stores of a process may keep decoded in memory, in bytes. Each store has a share, which tells how much it keeps;
 * when all keep too much together, each gives way in proportion, at its next commit.
 */
export class CacheBudget {
  readonly maxBytes: number;
  #used = 0;
  #round = 0;
  /** What each store gives back in this round. */
  #part = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** Bytes that the stores keep now, as they estimate it. */
  get used(): number {
    return this.#used;
  }

  share(): CacheShare {
    let own = 0;
    let round = 0;
    return {
      add: (bytes) => {
        own += bytes;
        this.#used += bytes;
      },
      excess: () => {
        if (this.#used <= this.maxBytes) return 0;
        // Who asks again begins a round; until then all give the same part, whoever comes first.
        if (round === this.#round) {
          this.#round += 1;
          this.#part = 1 - this.maxBytes / this.#used;
        }
        round = this.#round;
        return Math.ceil(own * this.#part);
      },
      close: () => {
        this.#used -= own;
        own = 0;
      },
    };
  }
}

/** A store that takes its share of a budget until it is torn down. */
export function boundedStore(
  store: ByteStore,
  budget: CacheBudget | undefined,
  onTeardown: (teardown: () => void) => void,
): ByteStore {
  if (budget === undefined) return store;
  const cache = budget.share();
  onTeardown(cache.close);
  const { check, id } = store;
  return {
    id,
    get: (key) => store.get(key),
    range: (from, to) => store.range(from, to),
    keys: (from, to) => store.keys(from, to),
    ...(check === undefined ? {} : { check }),
    cache,
  };
}

/** What one store keeps of a {@link CacheBudget}. */
export interface CacheShare {
  /** The store keeps so many bytes more, or less. */
  add(bytes: number): void;
  /** Bytes that the store has to give back. */
  excess(): number;
  /** The store is gone, and with it what it kept. */
  readonly close: () => void;
}

/** Of a store that nobody bounds. */
export const NO_SHARE: CacheShare = { add() {}, excess: () => 0, close() {} };

/** What an entry takes beside its key and value: objects, places in maps, headers of arrays. An estimate. */
const OVERHEAD = 400;
/** A decoded value takes about so many times what its bytes do. */
const DECODED = 2;

/** About what an entry takes in memory. */
export function entryBytes(keyBytes: number, valueBytes: number): number {
  return OVERHEAD + keyBytes + DECODED * valueBytes;
}
