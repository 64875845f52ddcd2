import type { Aggregator } from '../aggregators/aggregator.ts';
import { settled } from '../options/promises.ts';
import type { StreamRecord, Window } from '../record.ts';
import type { SessionWindower } from '../windows/windower.ts';
import { spansOf } from './span-keys.ts';
import type { KeySpan, Span, SpanStore } from './span-store.ts';
import { rowOf, SpanWindows } from './span-windows.ts';
import type { WindowEvents } from './window-machine.ts';

/** An aggregator that can merge sessions. */
export type MergingAggregator<V, A> = Aggregator<V, A, unknown, null> & { merge(left: A, right: A): A };

/**
 * The rules of sessions. A record joins every open session that is at most a gap away and merges them into one: the
 * states are merged in order, then the record is added. A record that joins none is late if it would be a closed
 * session by itself.
 */
export class SessionWindows<K, V, A> extends SpanWindows<K, V, A> {
  readonly #gapMs: number;
  readonly #merging: MergingAggregator<V, A>;

  constructor(
    { gapMs }: SessionWindower,
    aggregator: MergingAggregator<V, A>,
    store: SpanStore<K, A>,
    events: WindowEvents<K, A>,
  ) {
    super(aggregator, store, events);
    this.#gapMs = gapMs;
    this.#merging = aggregator;
  }

  add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    const { events, store, time } = this;
    const { timestamp } = record;
    const before = time.streamTime;
    const streamTime = time.reach(timestamp);
    const [keyBytes, own] = store.keyOf(key);
    const found = this.#near(own, timestamp, streamTime);
    if (found.length === 0 && streamTime > timestamp + store.layout.openMs) {
      time.observe(timestamp);
      events.late([{ start: timestamp, end: timestamp }], false);
      this.close(before);
      return;
    }
    let start = timestamp;
    let end = timestamp;
    let state = this.#merging.init();
    for (const span of found) {
      if (span.start < start) start = span.start;
      if (span.end > end) end = span.end;
      const there = this.stateOf(span, key);
      if (there !== undefined) state = settled(this.#merging.merge(state, there));
    }
    const added = settled(this.#merging.add(state, record.value, record)) ?? undefined;
    const window = { start, end };
    const content = { state: added, shown: true };
    if (added !== undefined) store.check(own, window, content, end);
    // From here on nothing can throw: a record whose fold fails must leave state and stream time unchanged.
    time.observe(timestamp);
    const grew = start !== end;
    const [only] = found;
    if (found.length === 1 && added !== undefined) store.move(own, only as Span<A>, window, content, end);
    else {
      for (const span of found) store.delete(own, span);
      if (added !== undefined) store.put(own, window, content, end);
    }
    if (grew) for (const span of found) events.merged(rowOf(key, span));
    // A session that has grown closes later than the index says; this is noticed when the index entry is due.
    if (found.length === 0) store.wake(timestamp + store.layout.openMs + 1, keyBytes);
    events.updated({ key, window, state: added, timestamp: end });
    this.close(before);
  }

  /** The sessions of a key that a record joins. */
  #near(own: Uint8Array, timestamp: number, streamTime: number): Span<A>[] {
    const { store } = this;
    const found: Span<A>[] = [];
    let from = timestamp - this.#gapMs;
    // Mostly there is one, or none.
    for (let most = 2; ; most *= 8) {
      const spans = store.first(own, from, most);
      for (const span of spans) {
        if (span.start > timestamp + this.#gapMs) return found;
        // Where the limit of time has risen, sessions are over that have not been closed yet.
        if (streamTime <= span.end + store.layout.openMs) found.push(span);
      }
      const last = spans[most - 1];
      if (last === undefined) return found;
      // No two of them end at once.
      from = last.end + 1;
    }
  }

  protected look(keyBytes: Uint8Array, _before: number, closed: KeySpan<K, A>[]): void {
    const { store } = this;
    const own = spansOf(keyBytes);
    let key: NonNullable<K> | undefined;
    for (;;) {
      const spans = store.first(own, 0, 2);
      for (const span of spans) {
        if (store.isOpen(span)) {
          store.wake(span.end + store.layout.openMs + 1, keyBytes);
          return;
        }
        store.delete(own, span);
        key ??= store.keyFrom(keyBytes);
        closed.push({ ...span, key, keyBytes });
      }
      if (spans.length < 2) return;
    }
  }

  protected compare(left: Window, right: Window): number {
    return left.end - right.end || left.start - right.start;
  }
}
