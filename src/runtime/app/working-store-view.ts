import { ConfigError } from '../../errors.ts';
import type { StateHolder } from '../../state/state-holder.ts';
import type { StoredRow, StoreView } from './store-view.ts';

/**
 * Looks into what a step keeps for its own work and nobody has described as a store: timers, or what waits for a partner.
 * All that can be said of it is what is in it.
 */
export class WorkingStoreView<K, V> implements StoreView<K, V> {
  readonly name: string;
  readonly #here: () => ReadonlyMap<number, StateHolder>;
  readonly #checkOpen: () => void;

  /**
   * @param here - By partition, at the time of a call.
   * @param checkOpen - Throws if there is nothing to read any more.
   */
  constructor(name: string, here: () => ReadonlyMap<number, StateHolder>, checkOpen: () => void) {
    this.name = name;
    this.#here = here;
    this.#checkOpen = checkOpen;
  }

  get partitions(): readonly number[] {
    return [...this.#here().keys()].sort((left, right) => left - right);
  }

  get(): never {
    throw this.#refused('get');
  }

  windowsOf(): never {
    throw this.#refused('windowsOf');
  }

  *entries(): IterableIterator<StoredRow<K, V>> {
    this.#checkOpen();
    const here = this.#here();
    for (const partition of this.partitions) {
      for (const entry of here.get(partition)?.entries() ?? []) yield entry as StoredRow<K, V>;
    }
  }

  #refused(method: string): ConfigError {
    return new ConfigError('ERR_OPTION', `${method} does not go with store ${this.name}`, {
      hint: 'it is the working store of a step: entries() shows what is in it',
    });
  }
}
