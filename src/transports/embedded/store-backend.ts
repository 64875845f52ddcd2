import type { ByteStore, StoreBackend, StoreId, StoreWrites } from '../../state/byte-store.ts';
import { compareBytes } from '../../state/key-codec.ts';
import type { Catalog } from './catalog.ts';
import { afterPrefix, metaKey, stateKey, stateKeyView } from './keys.ts';
import type { Databases } from './lmdb.ts';
import { inOrder, ORDERED_BYTES, originalEntry, type StoredEntry, storedKey, storedValue } from './long-keys.ts';
import { sealedView, unseal, unsealedCopy, wrongChecksum } from './sealed.ts';

interface StoredStore {
  readonly number: number;
  readonly id: StoreId;
}

/** How many entries an iteration reads at once. It holds no snapshot in between, so that old pages can be reused. */
const CHUNK = 256;
/** How many entries it reads first: many callers take only a few and seek on. Each further read is larger. */
const FIRST_KEYS = 16;
const FIRST_ENTRIES = 4;
const GROWTH = 4;
/** The number of the store, before each key. */
const STORE_BYTES = 4;
const NO_BYTES = new Uint8Array(0);

/** Stores in the same file as the log. Each value has a checksum, which is verified on read. */
export class LmdbStores implements StoreBackend {
  readonly #db: Databases;
  readonly #catalog: Catalog;

  constructor(db: Databases, catalog: Catalog) {
    this.#db = db;
    this.#catalog = catalog;
  }

  open(id: StoreId): ByteStore {
    let number: number | undefined;
    const find = (): number | undefined => (number ??= this.#find(id)?.number);
    return {
      id,
      get: (key) => {
        const store = find();
        return store === undefined ? undefined : this.#get(id, store, key);
      },
      range: (from, to) => this.#range(id, find(), from, to),
      keys: (from, to) => this.#keys(id, find(), from, to),
    };
  }

  list(applicationId: string): readonly StoreId[] {
    const stores = this.#catalog.list('store', applicationId) as StoredStore[];
    return stores.filter(({ number }) => !this.#isEmpty(number)).map(({ id }) => id);
  }

  apply(writes: readonly StoreWrites[]): void {
    this.#db.root.transactionSync(() => {
      this.check(writes);
      this.write(writes);
    });
  }

  /** @throws before anything is written. */
  check(writes: readonly StoreWrites[]): void {
    for (const { keys, values } of writes) {
      if (keys.length !== values.length) throw new RangeError('StoreWrites: keys and values differ in length');
    }
  }

  /** Writes inside the surrounding transaction. */
  write(writes: readonly StoreWrites[]): void {
    for (const { id, keys, values } of writes) {
      const number = this.#find(id)?.number ?? this.#create(id);
      for (let i = 0; i < keys.length; i++) {
        const key = stateKeyView(number, storedKey(keys[i]!));
        const value = values[i]!;
        if (value === null) this.#db.state.removeSync(key);
        else this.#db.state.putSync(key, sealedView(key, storedValue(keys[i]!, value)));
      }
    }
  }

  /**
   * Removes the stores of an application, inside the surrounding transaction. @returns the numbers under which their
   * entries are stored
   */
  forget(applicationId: string): readonly number[] {
    const stores = this.#catalog.list('store', applicationId) as StoredStore[];
    for (const { id } of stores) {
      this.#catalog.remove(metaKey('store', applicationId, id.store, String(id.partition)));
    }
    return stores.map(({ number }) => number);
  }

  /** Removes a limited number of entries of a removed store. @returns whether there may be more */
  removeEntries(number: number, limit: number): boolean {
    const start = stateKey(number, NO_BYTES);
    const end = afterPrefix(start);
    const bounds = { start, limit, ...(end === undefined ? {} : { end }) };
    const keys = Array.from(this.#db.state.getKeys(bounds), (key) => Uint8Array.from(key));
    for (const key of keys) this.#db.state.removeSync(key);
    return keys.length === limit;
  }

  #find({ applicationId, store, partition }: StoreId): StoredStore | undefined {
    return this.#catalog.getJson(metaKey('store', applicationId, store, String(partition))) as StoredStore | undefined;
  }

  #create({ applicationId, store, partition }: StoreId): number {
    const number = this.#catalog.newId();
    const stored: StoredStore = { number, id: { applicationId, store, partition } };
    this.#catalog.putJson(metaKey('store', applicationId, store, String(partition)), stored);
    return number;
  }

  #get(id: StoreId, store: number, key: Uint8Array): Uint8Array | undefined {
    const stored = storedKey(key);
    const at = stateKeyView(store, stored);
    // A key that is not in the cache of its store comes here: each copy and each object counts.
    const sealed = this.#db.state.getBinaryFast(at);
    if (sealed === undefined) return undefined;
    const value = unsealedCopy(at, sealed);
    if (value === undefined) throw wrongChecksum(placeOf(id));
    return stored === key ? value : originalEntry({ key: stored, value }).value;
  }

  *#range(
    id: StoreId,
    number: number | undefined,
    from: Uint8Array = NO_BYTES,
    to?: Uint8Array,
  ): IterableIterator<readonly [Uint8Array, Uint8Array]> {
    if (number === undefined) return;
    const { end, start } = boundsOf(number, from, to);
    for (const { key, value } of inOrder(this.#stored(id, start, end))) {
      if (from.length > ORDERED_BYTES && compareBytes(key, from) < 0) continue;
      if (to !== undefined && to.length > ORDERED_BYTES && compareBytes(key, to) >= 0) return;
      yield [key, value];
    }
  }

  *#stored(id: StoreId, from: Uint8Array, end: Uint8Array | undefined): Generator<StoredEntry> {
    let start = from;
    const place = placeOf(id);
    for (let limit = FIRST_ENTRIES; ; limit = Math.min(CHUNK, limit * GROWTH)) {
      const chunk: StoredEntry[] = [];
      let last: Uint8Array | undefined;
      const bounds = { start, limit, exclusiveStart: start !== from, ...(end === undefined ? {} : { end }) };
      for (const { key, value } of this.#db.state.getRange(bounds)) {
        const own = Uint8Array.from(key.subarray(STORE_BYTES));
        chunk.push(originalEntry({ key: own, value: unseal(key, value, place) }));
        last = key;
      }
      yield* chunk;
      if (last === undefined || chunk.length < limit) return;
      start = last.slice();
    }
  }

  *#keys(
    id: StoreId,
    number: number | undefined,
    from: Uint8Array = NO_BYTES,
    to?: Uint8Array,
  ): IterableIterator<Uint8Array> {
    if (number === undefined) return;
    const { end, start } = boundsOf(number, from, to);
    let at = start;
    let last: Uint8Array | undefined;
    for (let limit = FIRST_KEYS; ; limit = Math.min(CHUNK, limit * GROWTH)) {
      const bounds = { start: at, limit, exclusiveStart: at !== start, ...(end === undefined ? {} : { end }) };
      const chunk = Array.from(this.#db.state.getKeys(bounds), (key) => Uint8Array.from(key));
      for (const full of chunk) {
        const key = full.subarray(STORE_BYTES);
        // Only the value holds the complete long key, which is needed for sorting.
        if (key.length > ORDERED_BYTES) {
          const begin = atOrAfter(key, from);
          // A key may be all that the long ones begin with: it comes before them, and was here already.
          for (const [each] of this.#range(id, number, begin, to)) {
            if (last === undefined || compareBytes(each, last) > 0) yield each;
          }
          return;
        }
        if (from.length > ORDERED_BYTES && compareBytes(key, from) < 0) continue;
        yield (last = key);
      }
      if (chunk.length < limit) return;
      at = chunk.at(-1) as Uint8Array<ArrayBuffer>;
    }
  }

  #isEmpty(number: number): boolean {
    const start = stateKey(number, new Uint8Array(0));
    const end = afterPrefix(start);
    for (const _ of this.#db.state.getKeys({ start, limit: 1, ...(end === undefined ? {} : { end }) })) return false;
    return true;
  }
}

/** Long keys with the same prefix are stored in the order of their hashes. */
function boundsOf(
  number: number,
  from: Uint8Array,
  to: Uint8Array | undefined,
): { start: Uint8Array; end: Uint8Array | undefined } {
  const last = to === undefined || to.length <= ORDERED_BYTES ? to : afterPrefix(to.subarray(0, ORDERED_BYTES));
  return {
    start: stateKey(number, from.subarray(0, ORDERED_BYTES)),
    end: last === undefined ? afterPrefix(stateKey(number, NO_BYTES)) : stateKey(number, last),
  };
}

/** Where the long keys that begin like one begin, unless what was asked for begins later. */
function atOrAfter(stored: Uint8Array, from: Uint8Array): Uint8Array {
  const head = stored.slice(0, ORDERED_BYTES);
  return compareBytes(head, from) < 0 ? from : head;
}

const placeOf = ({ store, partition }: StoreId): string => `an entry of store "${store}", partition ${partition},`;
