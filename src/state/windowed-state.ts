import type { Aggregator } from '../aggregators/aggregator.ts';
import { settled } from '../options/promises.ts';
import type { StreamRecord, Window } from '../record.ts';
import {
  type AlignedWindower,
  firstStart,
  type PeriodicWindower,
  type UnlimitedWindower,
  windowAt,
} from '../windows/windower.ts';
import type { StepTime } from './step-time.ts';
import type { WindowEvents, WindowMachine } from './window-machine.ts';
import type { Pane, WindowStore } from './window-store.ts';

const NO_WINDOWS: readonly Window[] = [];

/**
 * The rules of windows that do not depend on other records: tumbling, hopping, otherwise aligned, unlimited.
 *
 * A window is open while stream time is before its end plus grace. A record first advances stream time, within its
 * limit; then it is added to each of its windows that is open and missed by the others; then the windows that have
 * closed are emitted. A record beyond the limit of stream time is accepted too: the windows that it closes wait for
 * {@link advance}.
 */
export class WindowedState<K, V, A> implements WindowMachine<K, V, A> {
  readonly time: StepTime;
  readonly #windower: PeriodicWindower | AlignedWindower | UnlimitedWindower;
  readonly #aggregator: Aggregator<V, A, unknown, null>;
  readonly #store: WindowStore<K, A>;
  readonly #events: WindowEvents<K, A>;
  readonly #changed: Pane<K, A>[] = [];
  readonly #states: (A | null)[] = [];

  constructor(
    windower: PeriodicWindower | AlignedWindower | UnlimitedWindower,
    aggregator: Aggregator<V, A, unknown, null>,
    store: WindowStore<K, A>,
    events: WindowEvents<K, A>,
  ) {
    this.time = store.time;
    this.#windower = windower;
    this.#aggregator = aggregator;
    this.#store = store;
    this.#events = events;
  }

  get store(): WindowStore<K, A> {
    return this.#store;
  }

  get oldest(): number {
    const windower = this.#windower;
    if (windower.kind === 'unlimited') return Number.POSITIVE_INFINITY;
    return windower.kind === 'aligned' ? this.#store.firstStart() : this.#store.firstEnd - windower.sizeMs;
  }

  add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    const windower = this.#windower;
    if (windower.kind === 'aligned' || windower.kind === 'unlimited') {
      this.#addTo(windowsOf(windower, record.timestamp), key, record);
      return;
    }
    const { timestamp } = record;
    const store = this.#store;
    const streamTime = store.time.reach(timestamp);
    const { advanceMs, sizeMs, graceMs } = windower;
    const first = firstStart(windower, timestamp);
    let missed = NO_WINDOWS as Window[];
    let taken = 0;
    for (let start = first; start <= timestamp; start += advanceMs) {
      if (start + sizeMs + graceMs <= streamTime) {
        if (missed === NO_WINDOWS) missed = [];
        missed.push(windowAt(windower, start));
      } else {
        this.#fold(taken, start, start + sizeMs, key, record);
        taken += 1;
      }
    }
    // From here on nothing can throw: a record whose fold fails must leave state and stream time unchanged.
    store.time.observe(timestamp);
    this.#apply(taken, timestamp);
    if (missed.length > 0) this.#events.late(missed, taken > 0);
    if (streamTime - graceMs >= store.firstEnd) this.#close(streamTime);
  }

  /** Like {@link add}, for a list of windows. */
  #addTo(windows: readonly Window[], key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    if (windows.length === 0) {
      // It does not advance stream time either. Records before the start of an unlimited window are ignored.
      if (this.#windower.kind === 'aligned') this.#events.outside();
      return;
    }
    const { timestamp } = record;
    const store = this.#store;
    const streamTime = store.time.reach(timestamp);
    const { graceMs } = this.#windower;
    const missed: Window[] = [];
    let taken = 0;
    for (const { end, start } of windows) {
      if (end + graceMs <= streamTime) {
        missed.push({ start, end });
      } else {
        this.#fold(taken, start, end, key, record);
        taken += 1;
      }
    }
    store.time.observe(timestamp);
    this.#apply(taken, timestamp);
    if (missed.length > 0) this.#events.late(missed, taken > 0);
    if (streamTime - graceMs >= store.firstEnd) this.#close(streamTime);
  }

  get nextClose(): number {
    return this.#store.firstEnd + this.#windower.graceMs;
  }

  closeAll(): void {
    const { lastEnd, time } = this.#store;
    if (lastEnd < 0 || this.#windower.kind === 'unlimited') return;
    time.moveTo(lastEnd + this.#windower.graceMs);
    this.#close(time.streamTime);
  }

  advance(): void {
    const { firstEnd, time } = this.#store;
    if (time.advance() && time.streamTime - this.#windower.graceMs >= firstEnd) this.#close(time.streamTime);
  }

  read(key: NonNullable<K>, { end, start }: Window): Pane<K, A> | undefined {
    return this.#store.isOpen(start, end) ? this.#store.pane(start, end, key) : undefined;
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

/** The windows of a timestamp, for windowers that list them. */
function windowsOf(windower: AlignedWindower | UnlimitedWindower, timestamp: number): readonly Window[] {
  if (windower.kind === 'aligned') return windower.windowsOf(timestamp);
  const { startMs: start } = windower;
  return timestamp < start ? NO_WINDOWS : [{ start, end: Number.POSITIVE_INFINITY }];
}
