import type { Aggregator } from '../aggregators/aggregator.ts';
import type { StreamRecord, Window } from '../record.ts';
import { compareBytes } from './key-codec.ts';
import type { KeySpan, Span, SpanStore } from './span-store.ts';
import type { StepTime } from './step-time.ts';
import type { WindowEvents, WindowMachine, WindowRow } from './window-machine.ts';

/** The common part of windows whose bounds come from the records of each key. */
export abstract class SpanWindows<K, V, A> implements WindowMachine<K, V, A> {
  readonly time: StepTime;
  readonly store: SpanStore<K, A>;
  protected readonly aggregator: Aggregator<V, A, unknown, null>;
  protected readonly events: WindowEvents<K, A>;

  constructor(aggregator: Aggregator<V, A, unknown, null>, store: SpanStore<K, A>, events: WindowEvents<K, A>) {
    this.time = store.time;
    this.store = store;
    this.aggregator = aggregator;
    this.events = events;
  }

  /** How much older than the end of a window its row may be. */
  protected readonly lengthMs: number = 0;

  get oldest(): number {
    const { firstWake, layout } = this.store;
    return firstWake - layout.openMs - 1 - this.lengthMs;
  }

  abstract add(key: NonNullable<K>, record: StreamRecord<unknown, V>): void;

  /**
   * Checks a key, given by its bytes: adds its spans that have closed since stream time was `before`, and puts the key
   * back into the index if spans remain.
   */
  protected abstract look(keyBytes: Uint8Array, before: number, closed: KeySpan<K, A>[]): void;

  /** The order of windows that close together. */
  protected abstract compare(left: Window, right: Window): number;

  advance(): void {
    const before = this.time.streamTime;
    if (this.time.advance()) this.close(before);
  }

  get nextClose(): number {
    return this.store.firstWake;
  }

  closeAll(): void {
    let last = -1;
    for (const { end } of this.store.all()) if (end > last) last = end;
    if (last < 0) return;
    const before = this.time.streamTime;
    this.time.moveTo(last + this.store.layout.openMs + 1);
    this.close(before);
  }

  read(key: NonNullable<K>, window: Window): WindowRow<K, A> | undefined {
    const span = this.store.get(key, window);
    return span === undefined || !this.store.isOpen(span) ? undefined : rowOf(key, span);
  }

  /** Closes spans up to stream time. @param before - Stream time of the last such call. */
  protected close(before: number): void {
    const { store } = this;
    const { streamTime } = this.time;
    if (streamTime < store.firstWake) return;
    const closed: KeySpan<K, A>[] = [];
    for (const keyBytes of store.wakeBy(streamTime)) this.look(keyBytes, before, closed);
    if (closed.length > 1)
      closed.sort((left, right) => this.compare(left, right) || compareBytes(left.keyBytes, right.keyBytes));
    for (const span of closed) {
      if (span.state !== undefined || span.failure !== undefined) this.events.closed(rowOf(span.key, span));
    }
  }

  /** The state of a span that is needed for a computation. @throws if it cannot be read. */
  protected stateOf(span: Span<A>, key: NonNullable<K>): A | undefined {
    if (span.failure !== undefined) throw this.store.unreadable(span.failure, key);
    return span.state;
  }
}

export function rowOf<K, A>(key: NonNullable<K>, span: Span<A>): WindowRow<K, A> {
  const { end, failure, start, state, timestamp, unread } = span;
  const row = { key, window: { start, end }, state, timestamp };
  return failure === undefined ? row : { ...row, failure, unread: unread as Uint8Array };
}
