import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { unwritable } from './checked-stores.ts';
import { type KeyId, keyId } from './key-codec.ts';
import { NUMBER_BYTES, readNumber, writeNumber } from './numbers.ts';
import { sortByBytes } from './sort-by-bytes.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { StepTime, TIME_KEY, type TimeLimit } from './step-time.ts';
import { type ValueCodec, withKey } from './value-codec.ts';

/** The aggregate of one key in one window. `state` is `undefined` where there is none (yet, or deleted). */
export interface Pane<K, A> {
  readonly key: NonNullable<K>;
  readonly keyBytes: Uint8Array;
  state: A | undefined;
  /** Highest timestamp of the records in it. */
  timestamp: number;
  dirty: boolean;
  /** Whether the store has an entry for it, so that removing it means writing. */
  stored: boolean;
  /** Why its state cannot be read, of a pane whose window closes. */
  readonly failure?: unknown;
  /** What is stored of it then. */
  readonly unread?: Uint8Array;
}

/** What a stored pane stands for, for those who look in from outside. */
export type PresentPane<A> = (state: A, start: number) => { readonly value: unknown; readonly window: Window };

/** All panes that start at one time. */
interface Group<K, A> {
  readonly start: number;
  readonly panes: Map<KeyId, Pane<K, A>>;
  /** Every pane of the window is here, so a miss needs no look into the store. */
  complete: boolean;
}

/**
 * Panes ordered by `[window start][key]`, which is the order in which closed windows are emitted, with a write-back
 * cache above. A pane that opens and closes between two commits never touches the store. The operator's stream time
 * is kept beside the panes, so that a record that was late stays late after a restart.
 */
export class WindowStore<K, A> implements StateHolder {
  readonly name: string;
  /** That of the step that owns the store. */
  readonly time: StepTime;
  readonly #bytes: ByteStore;
  readonly #keySerde: Serde<K>;
  readonly #codec: ValueCodec<A>;
  readonly #cacheEntries: number;
  readonly #present: PresentPane<A>;
  readonly #groups = new Map<number, Group<K, A>>();
  #recent: Group<K, A> | undefined;
  #dirty: Pane<K, A>[] = [];
  #dirtyStarts: number[] = [];
  /** Keys of stored panes that were removed since the last commit. */
  #removed: Uint8Array[] = [];
  #cached = 0;

  constructor(
    bytes: ByteStore,
    keySerde: Serde<K>,
    codec: ValueCodec<A>,
    cacheEntries: number,
    present: PresentPane<A>,
    limit: TimeLimit,
  ) {
    this.name = bytes.id.store;
    this.#bytes = bytes;
    this.#keySerde = keySerde;
    this.#codec = codec;
    this.#cacheEntries = cacheEntries;
    this.#present = present;
    this.time = new StepTime(limit, bytes.get(TIME_KEY));
    for (const start of this.#storedStarts()) this.#groups.set(start, { start, panes: new Map(), complete: false });
  }

  /** Starts of the open windows, in no order. */
  starts(): IterableIterator<number> {
    return this.#groups.keys();
  }

  get openWindows(): number {
    return this.#groups.size;
  }

  /** Whether a window that starts at `start` has been opened. */
  has(start: number): boolean {
    return this.#groups.has(start);
  }

  /** The pane of a key in the window at `start`, new and without state where there was none. */
  pane(start: number, key: NonNullable<K>): Pane<K, A> {
    const group = this.#group(start);
    const id = keyId(key, this.#keySerde);
    const known = group.panes.get(id);
    if (known !== undefined) return known;
    // Where −0 is written as 0 it is 0, as after a restart.
    const pane = this.#load(group, id === 0 ? (0 as NonNullable<K>) : key);
    group.panes.set(id, pane);
    this.#cached += 1;
    return pane;
  }

  /** Whether a state can be kept, where that is asked before it is set. @throws RecordError when it cannot. */
  check(pane: Pane<K, A>, start: number, state: A, timestamp: number): void {
    this.#bytes.check?.(paneKey(start, pane.keyBytes), this.#codec.encode(state, timestamp));
  }

  /** Notes that the pane's state changed. */
  touch(pane: Pane<K, A>, start: number): void {
    if (pane.dirty) return;
    pane.dirty = true;
    this.#dirty.push(pane);
    this.#dirtyStarts.push(start);
  }

  /** Forgets a window that was opened for a record that failed, unless something is in it. */
  discard(start: number): void {
    const group = this.#groups.get(start);
    if (group === undefined || !group.complete) return;
    for (const pane of group.panes.values()) if (pane.state !== undefined || pane.stored || pane.dirty) return;
    this.#groups.delete(start);
    this.#cached -= group.panes.size;
    if (this.#recent === group) this.#recent = undefined;
  }

  /** Removes a window and returns its panes that have a state, or cannot be read, in order of their key bytes. */
  take(start: number): Pane<K, A>[] {
    const group = this.#groups.get(start);
    if (group === undefined) return [];
    if (!group.complete) this.#loadRest(group);
    this.#groups.delete(start);
    this.#cached -= group.panes.size;
    if (this.#recent === group) this.#recent = undefined;
    const panes: Pane<K, A>[] = [];
    for (const pane of group.panes.values()) {
      if (pane.stored) this.#removed.push(paneKey(start, pane.keyBytes));
      pane.stored = false;
      if (pane.state !== undefined || pane.failure !== undefined) panes.push(pane);
    }
    return sortByBytes(panes);
  }

  collect(into: StoreWrites[]): void {
    const keys: Uint8Array[] = this.#removed;
    const values: (Uint8Array | null)[] = keys.map(() => null);
    for (let at = 0; at < this.#dirty.length; at += 1) {
      const pane = this.#dirty[at] as Pane<K, A>;
      const start = this.#dirtyStarts[at] as number;
      pane.dirty = false;
      const live = pane.state !== undefined && this.#groups.has(start);
      if (!live && !pane.stored) continue;
      keys.push(paneKey(start, pane.keyBytes));
      values.push(live ? this.#encode(pane.state as A, pane.timestamp) : null);
      pane.stored = live;
    }
    this.#removed = [];
    this.#dirty = [];
    this.#dirtyStarts = [];
    this.time.collect(keys, values);
    if (keys.length > 0) into.push({ id: this.#bytes.id, keys, values });
  }

  committed(): void {
    if (this.#cached <= this.#cacheEntries) return;
    for (const group of this.#groups.values()) {
      for (const [id, pane] of group.panes) {
        if (this.#cached <= this.#cacheEntries) return;
        if (pane.dirty) continue;
        group.panes.delete(id);
        group.complete = false;
        this.#cached -= 1;
      }
    }
  }

  describe(): StoreSnapshot {
    return {
      name: this.name,
      cached: this.#cached,
      dirty: this.#dirty.length,
      openWindows: this.#groups.size,
      streamTime: this.time.streamTime,
    };
  }

  *entries(): IterableIterator<StoreEntry> {
    for (const start of [...this.#groups.keys()].sort((left, right) => left - right)) {
      const group = this.#groups.get(start) as Group<K, A>;
      if (!group.complete) this.#loadRest(group);
      this.#forgetUnreadable(group);
      for (const { key, state, timestamp } of sortByBytes([...group.panes.values()])) {
        if (state !== undefined) yield { key, timestamp, ...this.#present(state, start) };
      }
    }
  }

  #encode(state: A, timestamp: number): Uint8Array {
    try {
      return this.#codec.encode(state, timestamp);
    } catch (error) {
      throw unwritable(this.name, error);
    }
  }

  #group(start: number): Group<K, A> {
    if (this.#recent?.start === start) return this.#recent;
    let group = this.#groups.get(start);
    if (group === undefined) {
      group = { start, panes: new Map(), complete: true };
      this.#groups.set(start, group);
    }
    this.#recent = group;
    return group;
  }

  #load(group: Group<K, A>, key: NonNullable<K>): Pane<K, A> {
    const keyBytes = this.#keySerde.serialize(key);
    const stored = group.complete ? undefined : this.#bytes.get(paneKey(group.start, keyBytes));
    if (stored === undefined) return { key, keyBytes, state: undefined, timestamp: -1, dirty: false, stored: false };
    try {
      const { value, timestamp } = this.#codec.decode(stored);
      return { key, keyBytes, state: value, timestamp, dirty: false, stored: true };
    } catch (error) {
      throw withKey(error, () => key);
    }
  }

  #loadRest(group: Group<K, A>): void {
    for (const [bytes, stored] of this.#bytes.range(paneKey(group.start), paneKey(group.start + 1))) {
      const keyBytes = bytes.slice(NUMBER_BYTES);
      const key = this.#keySerde.deserialize(keyBytes);
      const id = keyId(key, this.#keySerde);
      if (group.panes.has(id)) continue;
      group.panes.set(id, this.#decoded(key, keyBytes, stored));
      this.#cached += 1;
    }
    group.complete = true;
  }

  /** Who asks for them later is told again why they cannot be read. */
  #forgetUnreadable(group: Group<K, A>): void {
    for (const [id, { failure }] of group.panes) {
      if (failure === undefined) continue;
      group.panes.delete(id);
      group.complete = false;
      this.#cached -= 1;
    }
  }

  /** A pane that cannot be read must not keep the others of its window from closing. */
  #decoded(key: NonNullable<K>, keyBytes: Uint8Array, stored: Uint8Array): Pane<K, A> {
    try {
      const { value, timestamp } = this.#codec.decode(stored);
      return { key, keyBytes, state: value, timestamp, dirty: false, stored: true };
    } catch (error) {
      const failure = withKey(error, () => key);
      const unread = stored.slice();
      return { key, keyBytes, state: undefined, timestamp: -1, dirty: false, stored: true, failure, unread };
    }
  }

  /** Seeks from one window start to the next, so that opening costs by windows and not by panes. */
  *#storedStarts(): IterableIterator<number> {
    let from = new Uint8Array(0);
    for (;;) {
      const next = this.#bytes.range(from, TIME_KEY).next();
      if (next.done === true) return;
      const start = readNumber(next.value[0], 0);
      yield start;
      from = paneKey(start + 1);
    }
  }
}

const NO_KEY = new Uint8Array(0);

function paneKey(start: number, key: Uint8Array = NO_KEY): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(NUMBER_BYTES + key.length);
  writeNumber(bytes, 0, start);
  bytes.set(key, NUMBER_BYTES);
  return bytes;
}
