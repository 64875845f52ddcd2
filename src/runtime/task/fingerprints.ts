import type { StoreUse } from '../../dataflow/node.ts';
import { StoreError } from '../../errors.ts';
import type { ByteStore, StoreBackend, StoreId, StoreWrites } from '../../state/byte-store.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from '../../state/state-holder.ts';

/** Store of the fingerprints of all stores of a task. Not a name that a user can give. */
export const FINGERPRINT_STORE = '#stores';

/** Stores the fingerprint of each store, so that state is never read by a step that would misinterpret it. */
export class Fingerprints implements StateHolder {
  readonly name: string = FINGERPRINT_STORE;
  readonly #id: StoreId;
  readonly #stored: ByteStore;
  readonly #changed = new Map<string, string>();

  constructor(stores: StoreBackend, applicationId: string, partition: number) {
    this.#id = { applicationId, store: FINGERPRINT_STORE, partition };
    this.#stored = stores.open(this.#id);
  }

  /** @throws StoreError `ERR_STORE_INCOMPATIBLE` if the store was written by a step with another meaning. */
  check({ fingerprint, formerly, name: store }: StoreUse, stage: string): void {
    const bytes = this.#stored.get(new TextEncoder().encode(store));
    const known = bytes === undefined ? undefined : new TextDecoder().decode(bytes);
    if (known !== undefined && (known === fingerprint || known === formerly)) return;
    if (known !== undefined) {
      throw new StoreError(
        'ERR_STORE_INCOMPATIBLE',
        `store ${store} was written as "${known}", but the pipeline reads it as "${fingerprint}"`,
        {
          stage,
          hint: 'give the changed step a new store name (it starts empty), or run under a new applicationId (everything starts over)',
        },
      );
    }
    this.#changed.set(store, fingerprint);
  }

  collect(into: StoreWrites[]): void {
    if (this.#changed.size === 0) return;
    const text = new TextEncoder();
    into.push({
      id: this.#id,
      keys: [...this.#changed.keys()].map((name) => text.encode(name)),
      values: [...this.#changed.values()].map((fingerprint) => text.encode(fingerprint)),
    });
    this.#changed.clear();
  }

  committed(): void {}

  *entries(): IterableIterator<StoreEntry> {}

  describe(): StoreSnapshot {
    return { name: FINGERPRINT_STORE, cached: 0, dirty: this.#changed.size };
  }
}
