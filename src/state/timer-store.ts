import { StoreError } from '../errors.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { compareBytes } from './key-codec.ts';
import { type DueTimer, KeyTimers } from './key-timers.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import { StepTime, TIME_KEY, type TimeLimit } from './step-time.ts';

/** What a timer follows: the timestamps of records, or the wall clock. @public */
export type TimerKind = 'stream-time' | 'wall-clock';

/** A due timer and its owner. */
export interface NamedTimer<K> extends DueTimer<K> {
  readonly timers: KeyTimers<K>;
}

const TEXT = new TextEncoder();
const NO_LIMIT = Number.POSITIVE_INFINITY;

/** The internal state of a step besides its stores: its stream time and the timers of its keys. */
export class TimerStore<K> implements StateHolder {
  readonly name: string;
  readonly time: StepTime;
  readonly #bytes: ByteStore;
  readonly #all: readonly KeyTimers<K>[];
  readonly #timers: Readonly<Record<TimerKind, KeyTimers<K>[]>> = { 'stream-time': [], 'wall-clock': [] };

  /**
   * @param cacheEntries - For how many keys of each name timers are kept in memory.
   * @param kinds - The names of the timers, and what they follow. Timers that are due together fire in this order.
   * @throws StoreError `ERR_STORE_INCOMPATIBLE` if there are timers with other names, which would never fire.
   */
  constructor(
    bytes: ByteStore,
    serde: Serde<K>,
    limit: TimeLimit,
    cacheEntries: number,
    kinds: ReadonlyMap<string, TimerKind>,
  ) {
    this.name = bytes.id.store;
    this.#bytes = bytes;
    this.time = new StepTime(limit, bytes.get(TIME_KEY));
    for (const [name, kind] of kinds) {
      this.#timers[kind].push(new KeyTimers(name, bytes, prefixOf(name, kind), serde, cacheEntries));
    }
    this.#all = [...this.#timers['stream-time'], ...this.#timers['wall-clock']];
    this.#checkNames(kinds);
  }

  timers(name: string): KeyTimers<K> {
    return this.#all.find((timers) => timers.name === name) as KeyTimers<K>;
  }

  /** No timer of the kind is earlier. */
  earliest(kind: TimerKind): number {
    let earliest = Number.POSITIVE_INFINITY;
    for (const timers of this.#timers[kind]) if (timers.earliest < earliest) earliest = timers.earliest;
    return earliest;
  }

  /** The time of the last timer of a kind; −1 without one. */
  last(kind: TimerKind): number {
    let last = -1;
    for (const timers of this.#timers[kind]) for (const { time } of timers.all()) if (time > last) last = time;
    return last;
  }

  /**
   * Takes out and fires the timers that are due at `until`, in order of time, key bytes and name. A timer that is set
   * meanwhile also fires if it comes after the one that is firing.
   *
   * @param most - How many may fire; the others stay.
   * @returns How many have fired.
   */
  fire(kind: TimerKind, until: number, run: (timer: NamedTimer<K>) => void, most: number = NO_LIMIT): number {
    const all = this.#timers[kind];
    let fired = 0;
    let last: NamedTimer<K> | undefined;
    while (fired < most) {
      const next = this.#next(all, until, last);
      if (next === undefined) break;
      last = next;
      next.timers.remove(next);
      fired += 1;
      run(next);
    }
    for (const timers of all) if (timers.earliest <= until) timers.refresh();
    return fired;
  }

  #next(all: readonly KeyTimers<K>[], until: number, last: NamedTimer<K> | undefined): NamedTimer<K> | undefined {
    let best: NamedTimer<K> | undefined;
    let passed = false;
    for (const timers of all) {
      if (timers === last?.timers) passed = true;
      // Names after the last one may still have timers for the same time and key.
      const due = timers.first(until, last, passed && timers !== last?.timers);
      if (due !== undefined && (best === undefined || before(due, best))) best = { ...due, timers };
    }
    return best;
  }

  /** Keeps the changes. @returns Whether there were any. */
  keep(): boolean {
    let changed = false;
    for (const timers of this.#all) changed = timers.keep() || changed;
    return changed;
  }

  undo(): void {
    for (const timers of this.#all) timers.undo();
  }

  collect(into: StoreWrites[]): void {
    const keys: Uint8Array[] = [];
    const values: (Uint8Array | null)[] = [];
    for (const timers of this.#all) timers.collect({ keys, values });
    this.time.collect(keys, values);
    if (keys.length > 0) into.push({ id: this.#bytes.id, keys, values });
  }

  committed(): void {
    for (const timers of this.#all) timers.committed();
  }

  describe(): StoreSnapshot {
    let [cached, dirty] = [0, 0];
    for (const timers of this.#all) {
      const { cached: kept, dirty: changed } = timers.describe();
      cached += kept;
      dirty += changed;
    }
    return { name: this.name, cached, dirty, streamTime: this.time.streamTime };
  }

  /** The timers: by name, then in the order in which they fire. */
  *entries(): IterableIterator<StoreEntry> {
    for (const timers of this.#all) {
      for (const { key, time } of timers.all()) yield { key, value: timers.name, timestamp: time };
    }
  }

  /** Seeks from one name to the next. */
  #checkNames(kinds: ReadonlyMap<string, TimerKind>): void {
    const known = new Set([...kinds].map(([name, kind]) => textOf(prefixOf(name, kind))));
    let from = new Uint8Array(0);
    for (;;) {
      const next = this.#bytes.range(from, TIME_KEY).next();
      if (next.done === true) return;
      const [key] = next.value;
      const prefix = key.slice(0, key.indexOf(0) + 1);
      if (!known.has(textOf(prefix))) throw unknownTimer(this.name, textOf(prefix));
      from = prefix.slice();
      from[from.length - 1] = 1;
    }
  }
}

function before(left: DueTimer<unknown>, right: DueTimer<unknown>): boolean {
  return left.time < right.time || (left.time === right.time && compareBytes(left.keyBytes, right.keyBytes) < 0);
}

function prefixOf(name: string, kind: TimerKind): Uint8Array<ArrayBuffer> {
  return TEXT.encode(`${kind} ${name}\0`);
}

function textOf(prefix: Uint8Array): string {
  return new TextDecoder().decode(prefix.subarray(0, -1));
}

function unknownTimer(store: string, timer: string): StoreError {
  return new StoreError(
    'ERR_STORE_INCOMPATIBLE',
    `store ${store} has timers that were set as "${timer}", which the pipeline no longer has`,
    {
      hint: 'give the timer its name and kind back, or give the step a new name (it starts empty)',
    },
  );
}
