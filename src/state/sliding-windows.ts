import type { Aggregator } from '../aggregators/aggregator.ts';
import { settled } from '../options/promises.ts';
import type { StreamRecord, Window } from '../record.ts';
import type { SlidingWindower } from '../windows/windower.ts';
import { spansOf } from './span-keys.ts';
import type { KeySpan, Span, SpanStore } from './span-store.ts';
import { rowOf, SpanWindows } from './span-windows.ts';
import type { WindowEvents } from './window-machine.ts';

/** A window as changed by a record. */
interface Changed<A> extends Window {
  state: A | undefined;
  timestamp: number;
  shown: boolean;
}

/**
 * The rules of sliding windows. Each record has a window that ends at it, and one that starts right after it if a later
 * record falls into that; a record changes all windows that contain it. A new window starts with the contents of
 * another one: there is always one with exactly the records that it needs.
 *
 * Records are accepted as long as a window that they belong to may be open. So windows are kept and updated, without
 * being emitted, for twice the difference after they have closed: later windows start with their contents.
 */
export class SlidingWindows<K, V, A> extends SpanWindows<K, V, A> {
  readonly #differenceMs: number;
  readonly #graceMs: number;
  protected override readonly lengthMs: number;

  constructor(
    { differenceMs, graceMs }: SlidingWindower,
    aggregator: Aggregator<V, A, unknown, null>,
    store: SpanStore<K, A>,
    events: WindowEvents<K, A>,
  ) {
    super(aggregator, store, events);
    this.#differenceMs = differenceMs;
    this.lengthMs = differenceMs;
    this.#graceMs = graceMs;
  }

  add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void {
    const { events, store, time } = this;
    const { timestamp } = record;
    const before = time.streamTime;
    const streamTime = time.reach(timestamp);
    const difference = this.#differenceMs;
    const openFrom = streamTime - this.#graceMs;
    const leftStart = Math.max(0, timestamp - difference);
    if (timestamp + difference < openFrom) {
      time.observe(timestamp);
      events.late([{ start: leftStart, end: leftStart + difference }], false);
      this.close(before);
      return;
    }
    const [keyBytes, own] = store.keyOf(key);
    const near = store.first(own, timestamp - 2 * difference, Number.POSITIVE_INFINITY, timestamp + 1);
    const changed: Changed<A>[] = [];
    const missed: Window[] = [];
    const rest = this.#changesOf(near, key, record, leftStart, openFrom, changed, missed);
    for (const each of changed) store.check(own, each, each, each.timestamp);
    // From here on nothing can throw: a record whose fold fails must leave state and stream time unchanged.
    time.observe(timestamp);
    for (const each of changed) store.put(own, each, each, each.timestamp);
    this.#wake(near, changed.slice(rest), openFrom, keyBytes);
    let taken = false;
    for (const each of inOrder(changed, rest, timestamp < difference)) {
      if (each.end < openFrom) continue;
      taken ||= each.start <= timestamp;
      if (each.start <= timestamp || each.state !== undefined) events.updated(rowOf(key, each));
    }
    if (missed.length > 0) events.late(missed, taken);
    this.close(before);
  }

  /**
   * The windows that a record changes: those that contain it, by start, then new ones: the right window of the previous
   * record, its own left one, its own right one.
   *
   * @returns How many of them existed before.
   */
  #changesOf(
    near: readonly Span<A>[],
    key: NonNullable<K>,
    record: StreamRecord<unknown, V>,
    leftStart: number,
    openFrom: number,
    changed: Changed<A>[],
    missed: Window[],
  ): number {
    const { timestamp } = record;
    const difference = this.#differenceMs;
    const starts = new Set<number>();
    /** Timestamp of the previous record, with no record in between. */
    let previous = -1;
    let leftSeed: Span<A> | undefined;
    let rightSeed: Span<A> | undefined;
    for (const span of near) {
      const { start } = span;
      starts.add(start);
      if (start > timestamp) continue;
      if (span.timestamp < timestamp && span.timestamp > previous) previous = span.timestamp;
      // Early records share a window, which only knows the last of them. A window that does not end at a record starts
      // right after one.
      else if (start > 0 && span.timestamp < span.end && start > previous) previous = start - 1;
      if (start < leftStart) {
        leftSeed = span;
        continue;
      }
      rightSeed = span;
      const state = this.#fold(this.stateOf(span, key), record);
      changed.push({ start, end: span.end, state, timestamp: Math.max(span.timestamp, timestamp), shown: span.shown });
    }
    const behind = previous + 1;
    for (const { end, shown, start } of changed) {
      // Of the windows that were never open, the two that would start with this record count as missed.
      if (end < openFrom && (shown || start === leftStart || start === behind)) missed.push({ start, end });
    }
    const rest = changed.length;
    const opens = (start: number, state: A | undefined, at: number): void => {
      const end = start + difference;
      changed.push({ start, end, state, timestamp: at, shown: end >= openFrom });
      if (end < openFrom && start <= timestamp) missed.push({ start, end });
    };
    if (previous >= 0 && behind + difference >= timestamp && behind !== leftStart && !starts.has(behind)) {
      opens(behind, this.#fold(undefined, record), timestamp);
    }
    if (!starts.has(leftStart)) {
      const seeded = leftSeed !== undefined && leftSeed.timestamp >= leftStart;
      opens(leftStart, this.#fold(seeded ? this.stateOf(leftSeed as Span<A>, key) : undefined, record), timestamp);
    }
    if (rightSeed !== undefined && rightSeed.timestamp > timestamp && !starts.has(timestamp + 1)) {
      opens(timestamp + 1, rightSeed.state, rightSeed.timestamp);
    }
    return rest;
  }

  #fold(state: A | undefined, record: StreamRecord<unknown, V>): A | undefined {
    const { aggregator } = this;
    return settled(aggregator.add(state === undefined ? aggregator.init() : state, record.value, record)) ?? undefined;
  }

  /** Makes sure that the key is checked when the first of the new windows closes. */
  #wake(near: readonly Span<A>[], opened: readonly Changed<A>[], openFrom: number, keyBytes: Uint8Array): void {
    let first = Number.POSITIVE_INFINITY;
    for (const { end } of opened) if (end >= openFrom && end < first) first = end;
    if (first === Number.POSITIVE_INFINITY) {
      const [kept] = opened;
      if (near.length === 0 && kept !== undefined) this.store.wake(this.#goneAt(kept), keyBytes);
      return;
    }
    // If another window closes earlier, the index already has the key.
    for (const { end } of near) if (end >= openFrom && end <= first) return;
    this.store.wake(first + this.#graceMs + 1, keyBytes);
  }

  /** Stream time from which no record can need the contents of a window. */
  #goneAt({ end }: Window): number {
    return end + this.#graceMs + 2 * this.#differenceMs + 1;
  }

  protected look(keyBytes: Uint8Array, before: number, closed: KeySpan<K, A>[]): void {
    const { store } = this;
    const { streamTime } = this.time;
    const own = spansOf(keyBytes);
    const key = store.keyFrom(keyBytes);
    let last: Window | undefined;
    for (const span of store.spans(own)) {
      if (this.#goneAt(span) > streamTime) {
        last = span;
        break;
      }
      if (span.shown && before <= span.end + this.#graceMs) closed.push({ ...span, key, keyBytes });
      store.delete(own, span);
    }
    if (last === undefined) return;
    // Windows in between have closed before and are kept.
    const closing = before - this.#graceMs - this.#differenceMs;
    for (const span of store.spans(own, Math.max(last.start, closing))) {
      if (store.isOpen(span)) {
        store.wake(span.end + this.#graceMs + 1, keyBytes);
        return;
      }
      if (span.shown) closed.push({ ...span, key, keyBytes });
      last = span;
    }
    store.wake(this.#goneAt(last), keyBytes);
  }

  protected compare(left: Window, right: Window): number {
    return left.start - right.start;
  }
}

/**
 * The order of the rows of one record: existing windows, latest start first, then new ones. For a record earlier than
 * the difference: existing windows, earliest first, then new ones, its own first, and last the window that all such
 * records share.
 */
function inOrder<A>(changed: readonly Changed<A>[], rest: number, early: boolean): readonly Changed<A>[] {
  const there = changed.slice(0, rest);
  const opened = changed.slice(rest);
  if (!early) return [...there.reverse(), ...opened];
  const all = [...there, ...opened.reverse()];
  return [...all.filter(({ start }) => start !== 0), ...all.filter(({ start }) => start === 0)];
}
