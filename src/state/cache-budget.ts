import type { ByteStore } from './byte-store.ts';

/**
 * The bytes that all stores of a process together may keep decoded in memory. Each store has a share, which reports how
 * much it keeps; if the total is too much, every store evicts in proportion at its next commit.
 */
export class CacheBudget {
  readonly maxBytes: number;
  #used = 0;
  #round = 0;
  /** The fraction that each store must give back in this round. */
  #part = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  /** The estimated bytes that the stores keep now. */
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
        // A store that asks for the second time in a round starts a new one. Within a round all stores give back the
        // same fraction, whatever their order.
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

/** A store with a share of a budget, which is released when the store is torn down. */
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

/** The share of one store in a {@link CacheBudget}. */
export interface CacheShare {
  /** Reports that the store keeps this many bytes more (or less, if negative). */
  add(bytes: number): void;
  /** How many bytes the store must give back. */
  excess(): number;
  /** Releases the share of a closed store. */
  readonly close: () => void;
}

/** The share of a store without a bound. */
export const NO_SHARE: CacheShare = { add() {}, excess: () => 0, close() {} };

/** Estimated memory of an entry besides its key and value, in bytes: objects, map slots, array headers. */
const OVERHEAD = 400;
/** Estimated size of a decoded value relative to its bytes. */
const DECODED = 2;

/** Approximate memory of an entry, in bytes. */
export function entryBytes(keyBytes: number, valueBytes: number): number {
  return OVERHEAD + keyBytes + DECODED * valueBytes;
}
