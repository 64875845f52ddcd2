import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { type CacheShare, entryBytes, NO_SHARE } from './cache-budget.ts';
import { unwritable } from './checked-stores.ts';
import { type KeyId, keyId } from './key-codec.ts';
import { OpenWindows } from './open-windows.ts';
import { newPane, type Pane, PaneGroup, storedPane } from './pane.ts';
import { FORMAT, FORMAT_KEY, type PaneKeys, paneKeysOf, storedWindows } from './pane-keys.ts';
import { RecentGroups } from './recent-groups.ts';
import { sortByBytes } from './sort-by-bytes.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { StepTime, TIME_KEY, type TimeLimit } from './step-time.ts';
import { type ValueCodec, withKey } from './value-codec.ts';
import { windowView } from './window-view.ts';

export type { Pane } from './pane.ts';

/** The options of a window store. */
export interface WindowStoreOptions<K, A> {
  readonly key: Serde<K>;
  readonly codec: ValueCodec<A>;
  /** How many clean panes may be kept decoded. */
  readonly cacheEntries: number;
  /** Converts a state into its result, for reads from outside. */
  readonly present: (state: A) => unknown;
  readonly limit: TimeLimit;
  /** Length of the windows, if all have the same; needed by older stores without ends. */
  readonly sizeMs?: number;
}

/**
 * Panes ordered by `[window start][window end][key]`, the order in which closed windows are emitted, with a write-back
 * cache. A pane that opens and closes between two commits never touches the store. The time of the step is kept in the
 * same store.
 */
export class WindowStore<K, A> implements StateHolder {
  readonly name: string;
  readonly time: StepTime;
  readonly #bytes: ByteStore;
  readonly #options: WindowStoreOptions<K, A>;
  readonly #keys: PaneKeys;
  readonly #share: CacheShare;
  readonly #open = new OpenWindows<PaneGroup<K, A>>();
  readonly #groups = new RecentGroups<K, A>();
  /** The most recently used window, which need not be open yet. */
  #recent: PaneGroup<K, A> | undefined;
  /** Windows with panes that have changed since the last commit; a gap for one that was taken meanwhile. */
  #dirty: (PaneGroup<K, A> | undefined)[] = [];
  /** Panes that have changed since the last commit. */
  #changed = 0;
  /** Keys of stored panes that were removed since the last commit. */
  #removed: Uint8Array[] = [];
  /** Whether the format entry has not been written yet. */
  #isNew: boolean;
  #cached = 0;
  /** Bytes to release for the other stores of the process. */
  #toGiveBack = 0;

  constructor(bytes: ByteStore, options: WindowStoreOptions<K, A>) {
    this.name = bytes.id.store;
    this.#bytes = bytes;
    this.#options = options;
    this.#share = bytes.cache ?? NO_SHARE;
    this.time = new StepTime(options.limit, bytes.get(TIME_KEY));
    const { isNew, keys } = paneKeysOf(bytes, options.sizeMs);
    this.#keys = keys;
    this.#isNew = isNew;
    for (const { start, end } of storedWindows(bytes, keys)) this.#open.set(start, end, undefined);
  }

  /** Number of open windows: those with a touched pane. */
  get openWindows(): number {
    return this.#open.size;
  }

  /** The earliest start of an open window; `Infinity` if none is open. */
  firstStart(): number {
    return this.#open.firstStart();
  }

  /** The earliest end of an open window; `Infinity` if none is open. */
  get firstEnd(): number {
    return this.#open.firstEnd;
  }

  /** The latest end of an open window; −1 if none is open. */
  get lastEnd(): number {
    return this.#open.lastEnd;
  }

  isOpen(start: number, end: number): boolean {
    return this.#open.has(start, end);
  }

  /**
   * The pane of a key in a window; a new one without state if there was none. Touching the pane opens the window; until
   * then a pane of an unopened window is only valid for one record.
   */
  pane(start: number, end: number, key: NonNullable<K>): Pane<K, A> {
    const group = this.#group(start, end);
    const id = keyId(key, this.#options.key);
    const known = group.get(id);
    if (known !== undefined) return known;
    // If −0 is written as 0, use 0, as after a restart.
    const pane = this.#load(group, id, id === 0 ? (0 as NonNullable<K>) : key);
    group.add(pane);
    if (group.open) this.#keeps(1, pane.size);
    return pane;
  }

  /** Checks whether a state can be stored, if changes are checked. @throws RecordError if it cannot. */
  check(pane: Pane<K, A>, state: A, timestamp: number): void {
    this.#bytes.check?.(this.#keys.of(pane.window, pane.keyBytes), this.#options.codec.encode(state, timestamp));
  }

  /** Marks the pane's state as changed. */
  touch(pane: Pane<K, A>): void {
    if (pane.dirty) return;
    pane.dirty = true;
    if (!pane.group.open) this.#opens(pane);
    const { group } = pane;
    if (group.dirty === undefined) {
      group.dirty = [pane];
      group.dirtyAt = this.#dirty.push(group) - 1;
    } else group.dirty.push(pane);
    this.#changed += 1;
  }

  /** The windows that end at `end` or earlier, by start, then by end. They stay open until they are taken. */
  endedBy(end: number): Window[] {
    return this.#open.endedBy(end);
  }

  /** Removes a window and returns its panes that have a state or are unreadable, in order of their key bytes. */
  take(window: Window): Pane<K, A>[] {
    const group = this.#group(window.start, window.end);
    const rest = group.complete ? [] : [...this.#rest(group)];
    this.#forget(group);
    this.#settle(group);
    this.#open.delete(window.start, window.end);
    const panes: Pane<K, A>[] = [];
    for (const pane of group.panes()) this.#take(pane, window, panes);
    for (const pane of rest) this.#take(pane, window, panes);
    return sortByBytes(panes);
  }

  #take(pane: Pane<K, A>, window: Window, into: Pane<K, A>[]): void {
    if (pane.stored) this.#removed.push(this.#keys.of(window, pane.keyBytes));
    pane.stored = false;
    if (pane.state !== undefined || pane.failure !== undefined) into.push(pane);
  }

  /** What has changed in a window that is taken is not written: between two commits it may make up most of the memory in use. */
  #settle(group: PaneGroup<K, A>): void {
    if (group.dirty === undefined) return;
    this.#dirty[group.dirtyAt] = undefined;
    this.#changed -= group.dirty.length;
    for (const pane of group.dirty) pane.dirty = false;
    group.dirty = undefined;
  }

  collect(into: StoreWrites[]): void {
    const keys: Uint8Array[] = this.#removed;
    const values: (Uint8Array | null)[] = keys.map(() => null);
    for (const group of this.#dirty) {
      if (group === undefined) continue;
      for (const pane of group.dirty ?? []) this.#collect(pane, keys, values);
      group.dirty = undefined;
    }
    this.#removed = [];
    this.#dirty = [];
    this.#changed = 0;
    this.time.collect(keys, values);
    if (keys.length === 0) return;
    if (this.#isNew) {
      keys.push(FORMAT_KEY);
      values.push(FORMAT);
      this.#isNew = false;
    }
    into.push({ id: this.#bytes.id, keys, values });
  }

  #collect(pane: Pane<K, A>, keys: Uint8Array[], values: (Uint8Array | null)[]): void {
    pane.dirty = false;
    const live = pane.state !== undefined;
    if (!live && !pane.stored) return;
    keys.push(this.#keys.of(pane.window, pane.keyBytes));
    const value = live ? this.#encode(pane.state as A, pane.timestamp) : null;
    values.push(value);
    if (live) this.#resize(pane, value?.length ?? 0);
    pane.stored = live;
  }

  committed(): void {
    this.#toGiveBack = this.#share.excess();
    let group = this.#groups.first;
    while (group !== undefined && this.#keepsTooMuch()) {
      const next: PaneGroup<K, A> | undefined = group.after;
      this.#evict(group);
      group = next;
    }
  }

  describe(): StoreSnapshot {
    return {
      name: this.name,
      cached: this.#cached,
      dirty: this.#changed,
      openWindows: this.#open.size,
      ...(this.#open.size === 0 ? {} : { firstEnd: this.#open.firstEnd }),
      streamTime: this.time.streamTime,
    };
  }

  *entries(): IterableIterator<StoreEntry> {
    const { codec, key, present } = this.#options;
    for (const [bytes, stored] of this.view().range()) {
      if (bytes.length < this.#keys.prefix) continue;
      try {
        const { timestamp, value } = codec.decode(stored);
        const window = this.#keys.windowOf(bytes);
        yield { key: key.deserialize(bytes.slice(this.#keys.prefix)), value: present(value), timestamp, window };
      } catch {
        // Reported when its window closes.
      }
    }
  }

  /** The current entries as bytes, without those of closed windows. */
  view(): ByteStore {
    return windowView(this.#bytes, this.#keys, this.#options, this.#open, this.#groups);
  }

  #encode(state: A, timestamp: number): Uint8Array {
    try {
      return this.#options.codec.encode(state, timestamp);
    } catch (error) {
      throw unwritable(this.name, error);
    }
  }

  #group(start: number, end: number): PaneGroup<K, A> {
    const recent = this.#recent;
    if (recent !== undefined && recent.window.start === start && recent.window.end === end) return recent;
    let group = this.#open.get(start, end);
    if (group === undefined) {
      const isOpen = this.#open.has(start, end);
      group = new PaneGroup({ start, end }, !isOpen);
      if (isOpen) this.#remember(group);
    }
    this.#recent = group;
    return group;
  }

  /** Opens the window of a pane, unless another pane has already done so. */
  #opens(pane: Pane<K, A>): void {
    const { start, end } = pane.window;
    const there = this.#open.get(start, end);
    if (there === undefined) {
      if (this.#open.has(start, end)) pane.group.complete = false;
      this.#remember(pane.group);
      return;
    }
    const known = there.get(pane.id);
    if (known !== undefined) there.delete(known);
    this.#keeps(known === undefined ? 1 : 0, pane.size - (known?.size ?? 0));
    there.add(pane);
    pane.group = there;
  }

  #remember(group: PaneGroup<K, A>): void {
    group.open = true;
    this.#open.set(group.window.start, group.window.end, group);
    this.#groups.add(group);
    this.#keeps(group.size, sizeOf(group));
  }

  #forget(group: PaneGroup<K, A>): void {
    if (this.#recent === group) this.#recent = undefined;
    if (!group.open) return;
    group.open = false;
    this.#open.set(group.window.start, group.window.end, undefined);
    this.#groups.delete(group);
    this.#keeps(-group.size, -sizeOf(group));
  }

  #resize(pane: Pane<K, A>, valueBytes: number): void {
    const size = entryBytes(pane.keyBytes.length, valueBytes);
    this.#share.add(size - pane.size);
    pane.size = size;
  }

  #keeps(panes: number, bytes: number): void {
    this.#cached += panes;
    this.#share.add(bytes);
  }

  #keepsTooMuch(): boolean {
    return this.#cached > this.#options.cacheEntries || this.#toGiveBack > 0;
  }

  #evict(group: PaneGroup<K, A>): void {
    for (const pane of group.panes()) {
      if (!this.#keepsTooMuch()) return;
      if (pane.dirty) continue;
      group.delete(pane);
      group.complete = false;
      this.#keeps(-1, -pane.size);
      this.#toGiveBack -= pane.size;
    }
    if (group.size === 0) this.#forget(group);
  }

  #load(group: PaneGroup<K, A>, id: KeyId, key: NonNullable<K>): Pane<K, A> {
    const keyBytes = this.#options.key.serialize(key);
    const stored = group.complete ? undefined : this.#bytes.get(this.#keys.of(group.window, keyBytes));
    if (stored === undefined) return newPane(group, id, key, keyBytes);
    try {
      const { value, timestamp } = this.#options.codec.decode(stored);
      return storedPane(group, id, key, keyBytes, value, timestamp, stored.length);
    } catch (error) {
      throw withKey(error, () => key);
    }
  }

  /**
   * The stored panes of a window that are not in memory. An unreadable pane must not prevent the others from closing.
   */
  *#rest(group: PaneGroup<K, A>): Generator<Pane<K, A>> {
    const keys = this.#keys;
    const { codec, key: keySerde } = this.#options;
    for (const [bytes, stored] of this.#bytes.range(keys.of(group.window), keys.after(group.window))) {
      const keyBytes = bytes.slice(keys.prefix);
      const key = keySerde.deserialize(keyBytes);
      const id = keyId(key, keySerde);
      if (group.get(id) !== undefined) continue;
      let pane: Pane<K, A>;
      try {
        const { value, timestamp } = codec.decode(stored);
        pane = storedPane(group, id, key, keyBytes, value, timestamp, stored.length);
      } catch (error) {
        const failure = withKey(error, () => key);
        pane = { ...newPane(group, id, key, keyBytes), stored: true, failure, unread: stored.slice() };
      }
      yield pane;
    }
  }
}

function sizeOf<K, A>(group: PaneGroup<K, A>): number {
  let size = 0;
  for (const pane of group.panes()) size += pane.size;
  return size;
}
