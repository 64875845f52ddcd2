import { ConfigError, FatalError } from '../../errors.ts';
import { partitionOf } from '../../log/encode.ts';
import { show } from '../../options/option-checks.ts';
import type { Window } from '../../record.ts';
import type { ByteStore } from '../../state/byte-store.ts';
import type { StoreEntry } from '../../state/state-holder.ts';
import { readStore } from '../../state/store-reader.ts';
import type { Resolved, UnknownSpec } from '../../state/store-spec.ts';

/** An entry of a store, read from outside. It is a copy: modifying it does not change the store. @public */
export interface StoredRow<K, V> extends StoreEntry {
  readonly key: K;
  readonly value: V;
}

/**
 * Reads a store of a running application: the current contents of the partitions in this process, including uncommitted
 * changes. It bypasses the cache of the step and fills none.
 *
 * @public
 */
export interface StoreView<K, V> {
  readonly name: string;
  /** Partitions of the store whose state is in this process. */
  readonly partitions: readonly number[];
  /**
   * The entry of a key.
   *
   * @param window - The window, for window stores.
   * @throws FatalError `ERR_STATE_ELSEWHERE` if the state of the key's partition is in another process or not available
   * yet.
   */
  get(key: K, window?: Window): StoredRow<K, V> | undefined;
  /**
   * The entries of a key in windows that start from `from` to `to`, both inclusive, in ms since the epoch.
   *
   * @throws as {@link StoreView.get}; ConfigError `ERR_OPTION` for a store without windows.
   */
  windowsOf(key: K, from?: number, to?: number): IterableIterator<StoredRow<K, V>>;
  /**
   * All entries in this process: partition by partition, ordered by key bytes, or by window.
   *
   * @throws FatalError `ERR_STATE_ELSEWHERE` if the application has ended: `readState` reads what it has committed.
   */
  entries(): IterableIterator<StoredRow<K, V>>;
}

/** The current places of a store's state. */
export interface StorePlaces {
  /** By partition. */
  readonly here: ReadonlyMap<number, ByteStore>;
  /** The number of partitions; `undefined` until it is known. */
  readonly count: number | undefined;
}

/** Reads a store by its spec, at the places where its partitions are at the time of a call. */
export class SpecStoreView<K, V> implements StoreView<K, V> {
  readonly name: string;
  readonly #spec: Resolved<UnknownSpec>;
  readonly #places: () => StorePlaces;
  readonly #checkOpen: () => void;

  /** @param checkOpen - Throws if there is nothing to read any more. */
  constructor(spec: Resolved<UnknownSpec>, places: () => StorePlaces, checkOpen: () => void = () => undefined) {
    this.name = spec.name;
    this.#spec = spec;
    this.#places = places;
    this.#checkOpen = checkOpen;
  }

  get partitions(): readonly number[] {
    return [...this.#places().here.keys()].sort((left, right) => left - right);
  }

  get(key: K, window?: Window): StoredRow<K, V> | undefined {
    const spec = this.#spec;
    const id = key as NonNullable<K>;
    if (spec.kind === 'timed' || spec.kind === 'due') throw this.#wrongKind('get');
    if (spec.kind === 'keyValue') return this.#find(key, (bytes) => readStore(spec, bytes).get(id));
    if (window === undefined) {
      throw new ConfigError('ERR_OPTION', `store ${this.name} was asked for a key without a window`, {
        hint: 'it has a value for each window: get(key, { start, end }), or windowsOf(key)',
      });
    }
    return this.#find(key, (bytes) => readStore(spec, bytes).get(id, window));
  }

  *windowsOf(key: K, from?: number, to?: number): IterableIterator<StoredRow<K, V>> {
    const spec = this.#spec;
    if (spec.kind !== 'window' && spec.kind !== 'span') throw this.#wrongKind('windowsOf');
    const { count, here } = this.#places();
    let found = false;
    for (const bytes of here.values()) {
      for (const row of readStore(spec, bytes).windowsOf(key as NonNullable<K>, from, to)) {
        found = true;
        yield row as StoredRow<K, V>;
      }
    }
    if (!found) this.#checkHere(key, here, count);
  }

  *entries(): IterableIterator<StoredRow<K, V>> {
    this.#checkOpen();
    const { here } = this.#places();
    for (const partition of this.partitions) {
      const bytes = here.get(partition);
      if (bytes === undefined) continue;
      yield* readStore(this.#spec as never, bytes).range() as Generator<never> as IterableIterator<StoredRow<K, V>>;
    }
  }

  #find(key: K, read: (bytes: ByteStore) => StoreEntry | undefined): StoredRow<K, V> | undefined {
    const { count, here } = this.#places();
    for (const bytes of here.values()) {
      const row = read(bytes);
      if (row !== undefined) return row as StoredRow<K, V>;
    }
    this.#checkHere(key, here, count);
    return undefined;
  }

  /** A key that is not found does not exist only if its partition is here. */
  #checkHere(key: K, here: ReadonlyMap<number, ByteStore>, count: number | undefined): void {
    if (count !== undefined && here.size >= count) return;
    const bytes = this.#spec.key.serialize(key as NonNullable<unknown>);
    const partition = count === undefined ? undefined : partitionOf(bytes, count);
    if (partition !== undefined && here.has(partition)) return;
    const which = partition === undefined ? 'a partition that is not known yet' : `partition ${partition}`;
    throw new FatalError('ERR_STATE_ELSEWHERE', `key ${show(key)} of store ${this.name} belongs to ${which}`, {
      hint:
        here.size === 0
          ? 'this process has no partition of it: the application is not `ready` yet, has stopped, or runs in other processes'
          : `this process has the partitions ${this.partitions.join(', ')}: ask the one that has the other`,
    });
  }

  #wrongKind(method: string): ConfigError {
    return new ConfigError('ERR_OPTION', `${method} does not go with store ${this.name}`, {
      hint:
        method === 'get'
          ? 'it is the working store of a step: entries() shows what is in it'
          : 'it has no windows: get(key), or entries()',
    });
  }
}
