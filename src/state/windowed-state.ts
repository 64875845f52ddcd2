import type { Aggregator } from '../aggregators/aggregator.ts';
import { settled } from '../options/promises.ts';
import type { StreamRecord, Window } from '../record.ts';
import { firstStart, type Windower, windowAt } from '../windows/windower.ts';
import type { Pane, WindowStore } from './window-store.ts';

/** What the windowing rules say happens; called in order, synchronously. */
export interface WindowEvents<K, A> {
  /** A pane has changed; `state` is `undefined` where the aggregator deleted it. */
  updated(pane: Pane<K, A>): void;
  /** A window has closed with this pane. Panes come by start, end and key bytes. */
  closed(pane: Pane<K, A>): void;
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
  readonly #aggregator: Aggregator<V, A, unknown, null>;
  readonly #store: WindowStore<K, A>;
  readonly #events: WindowEvents<K, A>;
  readonly #changed: Pane<K, A>[] = [];
  readonly #states: (A | null)[] = [];

  constructor(
    windower: Windower,
    aggregator: Aggregator<V, A, unknown, null>,
    store: WindowStore<K, A>,
    events: WindowEvents<K, A>,
  ) {
    this.#windower = windower;
    this.#aggregator = aggregator;
    this.#store = store;
    this.#events = events;
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
        this.#fold(taken, start, start + sizeMs, key, record);
        taken += 1;
      }
    }
    // Only now nothing can throw any more: a record whose fold fails leaves neither state nor stream time changed.
    store.time.observe(timestamp);
    this.#apply(taken, timestamp);
    if (missed.length > 0) this.#events.late(missed, taken > 0);
    if (streamTime - graceMs >= store.firstEnd) this.#close(streamTime);
  }

  /** Moves stream time without a record, as far as it takes to close every open window. */
  closeAll(): void {
    const { lastEnd, time } = this.#store;
    if (lastEnd < 0) return;
    time.moveTo(lastEnd + this.#windower.graceMs);
    this.#close(time.streamTime);
  }

  /** Stream time may go further than before: closes what waited for that. */
  advance(): void {
    const { firstEnd, time } = this.#store;
    if (time.advance() && time.streamTime - this.#windower.graceMs >= firstEnd) this.#close(time.streamTime);
  }

  #fold(at: number, start: number, end: number, key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    const pane = this.#store.pane(start, end, key);
    const before = pane.state === undefined ? this.#aggregator.init() : pane.state;
    const state = settled(this.#aggregator.add(before, record.value, record));
    if (state !== null && state !== undefined) {
      this.#store.check(pane, state, Math.max(pane.timestamp, record.timestamp));
    }
    this.#changed[at] = pane;
    this.#states[at] = state;
  }

  #apply(taken: number, timestamp: number): void {
    for (let at = 0; at < taken; at += 1) {
      const pane = this.#changed[at] as Pane<K, A>;
      const state = this.#states[at] as A | null;
      if (pane.state === undefined || timestamp > pane.timestamp) pane.timestamp = timestamp;
      pane.state = state === null ? undefined : state;
      this.#store.touch(pane);
      this.#events.updated(pane);
    }
  }

  #close(streamTime: number): void {
    for (const window of this.#store.endedBy(streamTime - this.#windower.graceMs)) {
      for (const pane of this.#store.take(window)) this.#events.closed(pane);
    }
  }
}
