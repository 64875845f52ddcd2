import type { Aggregator } from '../aggregators/aggregator.ts';
import { settled } from '../options/promises.ts';
import type { StreamRecord, Window } from '../record.ts';
import type { SessionWindower } from '../windows/windower.ts';
import type { KeySpan, Span, SpanStore } from './span-store.ts';
import { rowOf, SpanWindows } from './span-windows.ts';
import type { WindowEvents } from './window-machine.ts';

/** An aggregator that can join sessions. */
export type MergingAggregator<V, A> = Aggregator<V, A, unknown, null> & { merge(left: A, right: A): A };

/**
 * The rules of sessions. A record joins every open session that it is at most a gap away from, and makes one of them: the
 * states are merged in their order, then the record is added. A record that joins none is late when it would be a closed
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
    const found: Span<A>[] = [];
    for (const span of store.spans(own, timestamp - this.#gapMs)) {
      if (span.start > timestamp + this.#gapMs) break;
      found.push(span);
    }
    if (found.length === 0 && streamTime > timestamp + store.layout.openMs) {
      time.observe(timestamp);
      events.late([{ start: timestamp, end: timestamp }], false);
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
    // Only now nothing can throw any more: a record whose fold fails leaves neither state nor stream time changed.
    time.observe(timestamp);
    const grew = start !== end;
    for (const span of found) {
      if (grew || added === undefined) store.delete(own, span);
      if (grew) events.merged(rowOf(key, span));
    }
    if (added !== undefined) store.put(own, window, content, end);
    // A session that grows closes later than what the index says of it, which is found out then.
    if (found.length === 0) store.wake(timestamp + store.layout.openMs + 1, keyBytes);
    events.updated({ key, window, state: added, timestamp: end });
    this.close(before);
  }

  protected look(key: NonNullable<K>, _before: number, closed: KeySpan<K, A>[]): void {
    const { store } = this;
    const [keyBytes, own] = store.keyOf(key);
    for (const span of store.spans(own)) {
      if (store.isOpen(span)) {
        store.wake(span.end + store.layout.openMs + 1, keyBytes);
        return;
      }
      store.delete(own, span);
      closed.push({ ...span, key, keyBytes });
    }
  }

  protected compare(left: Window, right: Window): number {
    return left.end - right.end || left.start - right.start;
  }
}
