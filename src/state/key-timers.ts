import { StoreError } from '../errors.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { compareBytes } from './key-codec.ts';
import { type Entry, KeyValueStore } from './key-value-store.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import { type Changes, prefixed, withPrefix } from './prefixed-bytes.ts';
import { TimerIndex, type Wake } from './timer-index.ts';
import type { ValueCodec } from './value-codec.ts';

/** Second byte of keys: the index, and the times of keys. */
const BY_TIME = 1;
const BY_KEY = 2;

/** A timer that is due. */
export interface DueTimer<K> extends Wake {
  readonly key: NonNullable<K>;
}

/** The timers of a key. */
interface Times {
  /** The time of the key in the index: its first time or earlier. */
  readonly wake: number;
  /** At least one, earliest first. */
  readonly times: readonly number[];
}

interface Change {
  readonly entry: Entry<Times>;
  readonly before: Times | undefined;
}

/**
 * The timers of one name, any number for each key. The times of a key are one entry of a store, and an index has each
 * key once, at its first time or earlier. So a timer that is moved with each record of a key changes only one entry;
 * the index is updated when its time comes. Changes since the last {@link keep} can be undone.
 */
export class KeyTimers<K> {
  readonly name: string;
  readonly #serde: Serde<K>;
  readonly #times: KeyValueStore<K, Times>;
  readonly #index: TimerIndex;
  readonly #prefix: Uint8Array;
  readonly #changes: Change[] = [];

  /** @param prefix - Prefix of the entries in the store. */
  constructor(name: string, bytes: ByteStore, prefix: Uint8Array, serde: Serde<K>, cacheEntries: number) {
    this.name = name;
    this.#serde = serde;
    this.#prefix = prefix;
    this.#index = new TimerIndex(prefixed(bytes, Uint8Array.of(...prefix, BY_TIME)));
    const times = prefixed(bytes, Uint8Array.of(...prefix, BY_KEY));
    this.#times = new KeyValueStore(times, serde, timesCodec(bytes.id.store), cacheEntries);
  }

  /** No timer is earlier; `Infinity` if there is none. */
  get earliest(): number {
    return this.#index.earliest;
  }

  /** Adds a time for a key. */
  add(key: NonNullable<K>, time: number): void {
    const entry = this.#times.entry(key);
    const { value } = entry;
    if (value?.times.includes(time) === true) return;
    const times = value === undefined ? [time] : [...value.times, time].sort((left, right) => left - right);
    this.#change(entry, { wake: Math.min(value?.wake ?? time, time), times });
  }

  /** Replaces all times of a key with one. */
  set(key: NonNullable<K>, time: number): void {
    const entry = this.#times.entry(key);
    this.#change(entry, { wake: Math.min(entry.value?.wake ?? time, time), times: [time] });
  }

  cancel(key: NonNullable<K>): void {
    const entry = this.#times.entry(key);
    if (entry.value !== undefined) this.#change(entry, undefined);
  }

  /**
   * The first timer in order of time and key bytes, at `until` or earlier. @param after - See {@link TimerIndex.first}.
   */
  first(until: number, after: Wake | undefined, including: boolean): DueTimer<K> | undefined {
    for (;;) {
      const wake = this.#index.first(until, after, including);
      if (wake === undefined) return undefined;
      const key = this.#serde.deserialize(wake.keyBytes);
      const entry = this.#times.entry(key);
      const { value } = entry;
      // Left over from an interrupted commit, on a log without transactions.
      if (value === undefined || value.wake !== wake.time) this.#index.delete(wake.time, wake.keyBytes);
      else if (value.times[0] === wake.time) return { ...wake, key };
      else this.#apply(entry, { wake: value.times[0] as number, times: value.times });
    }
  }

  /** Removes a timer that fires, whatever the outcome. */
  remove({ key }: DueTimer<K>): void {
    const entry = this.#times.entry(key);
    const [, ...times] = (entry.value as Times).times;
    const [wake] = times;
    this.#apply(entry, wake === undefined ? undefined : { wake, times });
  }

  /** All timers, in order of time and key bytes. */
  all(): readonly DueTimer<K>[] {
    const all: DueTimer<K>[] = [];
    for (const { key, value } of this.#times.entries()) {
      const keyBytes = this.#serde.serialize(key as NonNullable<K>);
      for (const time of (value as Times).times) all.push({ time, key: key as NonNullable<K>, keyBytes });
    }
    return all.sort((left, right) => left.time - right.time || compareBytes(left.keyBytes, right.keyBytes));
  }

  /** Determines the first timer. */
  refresh(): void {
    this.#index.refresh();
  }

  /** Keeps the changes. @returns Whether there were any. */
  keep(): boolean {
    if (this.#changes.length === 0) return false;
    this.#changes.length = 0;
    return true;
  }

  undo(): void {
    for (let change = this.#changes.pop(); change !== undefined; change = this.#changes.pop()) {
      this.#apply(change.entry, change.before);
    }
  }

  /** Writes in an order in which the index can find every key, wherever the writing is interrupted. */
  collect(into: Changes): void {
    const times: StoreWrites[] = [];
    this.#times.collect(times);
    const index = this.#index.collect();
    withPrefix(Uint8Array.of(...this.#prefix, BY_TIME), index.added, into);
    for (const each of times) withPrefix(Uint8Array.of(...this.#prefix, BY_KEY), each, into);
    withPrefix(Uint8Array.of(...this.#prefix, BY_TIME), index.deleted, into);
  }

  committed(): void {
    this.#times.committed();
    this.#index.committed();
  }

  describe(): { readonly cached: number; readonly dirty: number } {
    return this.#times.describe();
  }

  #change(entry: Entry<Times>, after: Times | undefined): void {
    const before = entry.value;
    this.#apply(entry, after);
    this.#changes.push({ entry, before });
  }

  /** @throws if changes are checked and this one cannot be stored; nothing has changed then. */
  #apply(entry: Entry<Times>, after: Times | undefined): void {
    const { keyBytes, value: before } = entry;
    if (after === undefined) this.#times.delete(entry);
    else this.#times.put(entry, after, after.wake);
    if (before?.wake === after?.wake) return;
    if (before !== undefined) this.#index.delete(before.wake, keyBytes);
    if (after !== undefined) this.#index.add(after.wake, keyBytes);
  }
}

/** `[wake][time]…` */
function timesCodec(store: string): ValueCodec<Times> {
  return {
    encode({ times, wake }) {
      const bytes = new Uint8Array((times.length + 1) * NUMBER_BYTES);
      writeNumber(bytes, 0, wake);
      for (const [at, time] of times.entries()) writeNumber(bytes, (at + 1) * NUMBER_BYTES, time);
      return bytes;
    },
    decode(bytes) {
      if (bytes.length < 2 * NUMBER_BYTES || bytes.length % NUMBER_BYTES > 0) throw damaged(store, bytes.length);
      const times: number[] = [];
      for (let at = NUMBER_BYTES; at < bytes.length; at += NUMBER_BYTES) times.push(readNumber(bytes, at));
      const wake = readNumber(bytes, 0);
      return { value: { wake, times }, timestamp: wake };
    },
  };
}

function damaged(store: string, length: number): StoreError {
  return new StoreError('ERR_CORRUPT_STORE', `the timers of a key in store ${store} have ${length} bytes`, {
    hint: 'the store is damaged: run the application under a new applicationId to rebuild the store',
  });
}
