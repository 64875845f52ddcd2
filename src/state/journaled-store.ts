import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { type Entry, KeyValueStore } from './key-value-store.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { serdeCodec, type ValueCodec, withKey } from './value-codec.ts';

/** A change that can be undone. */
interface Change {
  readonly entry: Entry<Uint8Array>;
  readonly value: Uint8Array | undefined;
  readonly timestamp: number;
}

/** Values that are already encoded: `[timestamp, 8 bytes][value]`. */
const ENCODED: ValueCodec<Uint8Array> = {
  encode(value, timestamp) {
    const entry = new Uint8Array(NUMBER_BYTES + value.length);
    writeNumber(entry, 0, timestamp);
    entry.set(value, NUMBER_BYTES);
    return entry;
  },
  decode: (entry) => ({ value: entry.subarray(NUMBER_BYTES), timestamp: readNumber(entry, 0) }),
};

/**
 * A key-value store for user code. Values are copied in and out: they are encoded when they are set, so that a value
 * that cannot be stored fails the record that set it, and modifying a value that was read has no effect. Changes since
 * the last {@link keep} can be undone.
 */
export class JournaledStore<K, V> implements StateHolder {
  readonly name: string;
  readonly #values: Serde<V>;
  readonly #store: KeyValueStore<K, Uint8Array>;
  readonly #changes: Change[] = [];

  constructor(bytes: ByteStore, keys: Serde<K>, values: Serde<V>, cacheEntries: number) {
    this.name = bytes.id.store;
    this.#values = values;
    this.#store = new KeyValueStore(bytes, keys, ENCODED, cacheEntries, (value) => this.#read(value));
  }

  get(key: NonNullable<K>): NonNullable<V> | undefined {
    const { value } = this.#store.entry(key);
    if (value === undefined) return undefined;
    try {
      return this.#read(value);
    } catch (error) {
      throw withKey(error, () => key);
    }
  }

  /** The current entries as bytes. */
  view(): ByteStore {
    return this.#store.view();
  }

  has(key: NonNullable<K>): boolean {
    return this.#store.entry(key).value !== undefined;
  }

  /**
   * @throws RecordError `ERR_ENCODE` for a value that cannot be written, and, if changes are checked, the error of the
   * check
   */
  set(key: NonNullable<K>, value: NonNullable<V>, timestamp: number): void {
    const bytes = this.#written(value);
    const entry = this.#store.entry(key);
    const before = { entry, value: entry.value, timestamp: entry.timestamp };
    this.#store.put(entry, bytes, timestamp);
    this.#changes.push(before);
  }

  delete(key: NonNullable<K>): void {
    const entry = this.#store.entry(key);
    if (entry.value === undefined) return;
    this.#changes.push({ entry, value: entry.value, timestamp: entry.timestamp });
    this.#store.delete(entry);
  }

  /** @returns Whether there was a change. */
  keep(): boolean {
    if (this.#changes.length === 0) return false;
    this.#changes.length = 0;
    return true;
  }

  undo(): void {
    for (let change = this.#changes.pop(); change !== undefined; change = this.#changes.pop()) {
      const { entry, timestamp, value } = change;
      if (value === undefined) this.#store.delete(entry);
      else this.#store.put(entry, value, timestamp);
    }
  }

  #written(value: NonNullable<V>): Uint8Array {
    try {
      const bytes = this.#values.serialize(value);
      // The serde of bytes does not copy, but the bytes belong to the caller.
      return value instanceof Uint8Array ? bytes.slice() : bytes;
    } catch (error) {
      // The codec throws an error that names the store.
      serdeCodec(this.#values, this.name).encode(value, 0);
      throw error;
    }
  }

  #read(bytes: Uint8Array): NonNullable<V> {
    try {
      // A decoded value may refer to the bytes, and belongs to the caller.
      return this.#values.deserialize(bytes.slice());
    } catch {
      return serdeCodec(this.#values, this.name).decode(ENCODED.encode(bytes, 0)).value;
    }
  }

  collect(into: StoreWrites[]): void {
    this.#store.collect(into);
  }

  committed(): void {
    this.#store.committed();
  }

  describe(): StoreSnapshot {
    return this.#store.describe();
  }

  entries(): Iterable<StoreEntry> {
    return this.#store.entries();
  }
}
