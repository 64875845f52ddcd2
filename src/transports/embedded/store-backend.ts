import { RecordError } from '../../errors.ts';
import type { ByteStore, StoreBackend, StoreId, StoreWrites } from '../../state/byte-store.ts';
import type { Catalog } from './catalog.ts';
import { afterPrefix, metaKey, stateKey } from './keys.ts';
import type { Databases } from './lmdb.ts';
import { seal, unseal } from './sealed.ts';

interface StoredStore {
  readonly number: number;
  readonly id: StoreId;
}

/** Entries that an iteration reads at once. It holds no snapshot between them, so that old pages can be reused. */
const CHUNK = 256;
/** What LMDB allows at a page size of 4 KiB, less the number of the store. */
const MAX_STATE_KEY_BYTES = 1974;

/** Stores in the same file as the log. Each value carries a checksum, which is verified when it is read. */
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
        return store === undefined ? undefined : this.#get(id, stateKey(store, key));
      },
      range: (from, to) => this.#range(id, find(), from, to),
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
    for (const { id, keys, values } of writes) {
      if (keys.length !== values.length) throw new RangeError('StoreWrites: keys and values differ in length');
      for (const key of keys) {
        if (key.length <= MAX_STATE_KEY_BYTES) continue;
        throw new RecordError('ERR_KEY_TOO_LARGE', `A key of store "${id.store}" has ${key.length} bytes`, {
          step: id.store,
          partition: id.partition,
          written: 'no',
          hint: `keys of stores on the embedded log may have ${MAX_STATE_KEY_BYTES} bytes; use a hash or a shorter key`,
        });
      }
    }
  }

  /** Writes inside the surrounding transaction. */
  write(writes: readonly StoreWrites[]): void {
    for (const { id, keys, values } of writes) {
      const number = this.#find(id)?.number ?? this.#create(id);
      for (let i = 0; i < keys.length; i++) {
        const key = stateKey(number, keys[i]!);
        const value = values[i]!;
        if (value === null) this.#db.state.removeSync(key);
        else this.#db.state.putSync(key, seal(key, value));
      }
    }
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

  #get(id: StoreId, key: Uint8Array): Uint8Array | undefined {
    const sealed = this.#db.state.getBinary(key);
    return sealed && unseal(key, sealed, placeOf(id));
  }

  *#range(
    id: StoreId,
    number: number | undefined,
    from?: Uint8Array,
    to?: Uint8Array,
  ): IterableIterator<readonly [Uint8Array, Uint8Array]> {
    if (number === undefined) return;
    const prefix = stateKey(number, new Uint8Array(0));
    const end = to === undefined ? afterPrefix(prefix) : stateKey(number, to);
    let start = from === undefined ? prefix : stateKey(number, from);
    for (;;) {
      const chunk: (readonly [Uint8Array, Uint8Array])[] = [];
      let last: Uint8Array | undefined;
      const bounds = { start, limit: CHUNK, ...(end === undefined ? {} : { end }) };
      for (const { key, value } of this.#db.state.getRange(bounds)) {
        chunk.push([Uint8Array.from(key.subarray(prefix.length)), unseal(key, value, placeOf(id))]);
        last = key;
      }
      yield* chunk;
      if (last === undefined || chunk.length < CHUNK) return;
      // The next key in order is the last one with a zero byte after it.
      start = new Uint8Array(last.length + 1);
      start.set(last);
    }
  }

  #isEmpty(number: number): boolean {
    const start = stateKey(number, new Uint8Array(0));
    const end = afterPrefix(start);
    for (const _ of this.#db.state.getKeys({ start, limit: 1, ...(end === undefined ? {} : { end }) })) return false;
    return true;
  }
}

const placeOf = ({ store, partition }: StoreId): string => `an entry of store "${store}", partition ${partition},`;
