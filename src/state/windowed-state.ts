import type { Aggregator } from '../aggregators/aggregator.ts';
import { settled } from '../promises.ts';
import type { StreamRecord, Window } from '../record.ts';
import { closeTime, firstStart, type Windower, windowAt } from '../windows/windower.ts';
import type { Pane, WindowStore } from './window-store.ts';

/** What the windowing rules say happens; called in order, synchronously. */
export interface WindowEvents<K, A> {
  /** A pane has changed; `state` is `undefined` where the aggregator deleted it. */
  updated(pane: Pane<K, A>, start: number): void;
  /** A window has closed with this pane. Panes come by (start, key bytes). */
  closed(pane: Pane<K, A>, start: number): void;
  /** The record belongs to windows that have closed already. */
  late(missed: readonly Window[], partial: boolean): void;
}

const NO_WINDOWS: readonly Window[] = [];

/**
 * The rules of tumbling and hopping windows, and nothing else: no Observable, no clock, no topic.
 *
 * A window is open while stream time is before its end plus grace. Stream time first moves with the record, as far as it
 * may, then each of the record's windows takes it or misses it, then the windows that this stream time closes are handed
 * out. A record beyond what stream time may reach is taken: what it closes waits for {@link advance}.
 */
export class WindowedState<K, V, A> {
  readonly #windower: Windower;
  readonly #aggregator: Aggregator<V, A, unknown>;
  readonly #store: WindowStore<K, A>;
  readonly #events: WindowEvents<K, A>;
  /** The earliest time at which an open window closes. */
  #nextClose = Number.POSITIVE_INFINITY;
  readonly #changed: Pane<K, A>[] = [];
  readonly #states: (A | null)[] = [];

  constructor(
    windower: Windower,
    aggregator: Aggregator<V, A, unknown>,
    store: WindowStore<K, A>,
    events: WindowEvents<K, A>,
  ) {
    this.#windower = windower;
    this.#aggregator = aggregator;
    this.#store = store;
    this.#events = events;
    this.#findNextClose();
  }

  /** Takes one record with a key and a value. */
  add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    const { timestamp } = record;
    const store = this.#store;
    const streamTime = store.time.reach(timestamp);
    const { advanceMs, sizeMs, graceMs } = this.#windower;
    const first = firstStart(this.#windower, timestamp);
    let missed = NO_WINDOWS as Window[];
    let taken = 0;
    for (let start = first; start <= timestamp; start += advanceMs) {
      if (start + sizeMs + graceMs <= streamTime) {
        if (missed === NO_WINDOWS) missed = [];
        missed.push(windowAt(this.#windower, start));
      } else {
        this.#fold(taken, start, key, record);
        taken += 1;
      }
    }
    // Only now nothing can throw any more: a record whose fold fails leaves neither state nor stream time changed.
    store.time.observe(timestamp);
    this.#apply(taken, first + missed.length * advanceMs, timestamp);
    if (missed.length > 0) this.#events.late(missed, taken > 0);
    if (streamTime >= this.#nextClose) this.#close(streamTime);
  }

  /** Moves stream time without a record, as far as it takes to close every open window. */
  closeAll(): void {
    let end = -1;
    for (const start of this.#store.starts()) end = Math.max(end, closeTime(this.#windower, start));
    if (end < 0) return;
    this.#store.time.moveTo(end);
    this.#close(this.#store.time.streamTime);
  }

  /** Stream time may go further than before: closes what waited for that. */
  advance(): void {
    const { time } = this.#store;
    if (time.advance() && time.streamTime >= this.#nextClose) this.#close(time.streamTime);
  }

  #fold(at: number, start: number, key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    const pane = this.#store.pane(start, key);
    this.#changed[at] = pane;
    try {
      const before = pane.state === undefined ? this.#aggregator.init() : pane.state;
      const state = settled(this.#aggregator.add(before, record.value, record));
      if (state !== null && state !== undefined) {
        this.#store.check(pane, start, state, Math.max(pane.timestamp, record.timestamp));
      }
      this.#states[at] = state;
    } catch (error) {
      for (let open = start; open > start - this.#windower.sizeMs; open -= this.#windower.advanceMs)
        this.#store.discard(open);
      throw error;
    }
  }

  #apply(taken: number, firstOpen: number, timestamp: number): void {
    for (let at = 0; at < taken; at += 1) {
      const pane = this.#changed[at] as Pane<K, A>;
      const state = this.#states[at] as A | null;
      const start = firstOpen + at * this.#windower.advanceMs;
      if (pane.state === undefined || timestamp > pane.timestamp) pane.timestamp = timestamp;
      pane.state = state === null ? undefined : state;
      this.#store.touch(pane, start);
      const closes = closeTime(this.#windower, start);
      if (closes < this.#nextClose) this.#nextClose = closes;
      this.#events.updated(pane, start);
    }
  }

  #close(streamTime: number): void {
    const closed: number[] = [];
    for (const start of this.#store.starts()) if (closeTime(this.#windower, start) <= streamTime) closed.push(start);
    closed.sort((left, right) => left - right);
    for (const start of closed) {
      for (const pane of this.#store.take(start)) this.#events.closed(pane, start);
    }
    this.#findNextClose();
  }

  #findNextClose(): void {
    this.#nextClose = Number.POSITIVE_INFINITY;
    for (const start of this.#store.starts()) {
      this.#nextClose = Math.min(this.#nextClose, closeTime(this.#windower, start));
    }
  }
}
