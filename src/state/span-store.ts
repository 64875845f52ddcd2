import type { Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore, StoreWrites } from './byte-store.ts';
import { FrontRow } from './front-row.ts';
import { bytesId } from './key-codec.ts';
import { DUE, type SpanContent, spanCodec } from './span-codec.ts';
import {
  DUE_END,
  dueKey,
  dueTime,
  keyOfDue,
  keyOfSpan,
  numbersOf,
  SPANS_END,
  spanKey,
  spansEnd,
  spansOf,
} from './span-keys.ts';
import type { StateHolder, StoreEntry, StoreSnapshot } from './state-holder.ts';
import type { StepTime, TimeLimit } from './step-time.ts';
import { type StoredRow, StoredRows } from './stored-rows.ts';
import { type ValueCodec, withKey } from './value-codec.ts';

/** The order of the spans in a store, and how long they stay open. */
export interface SpanLayout {
  /** Whether the spans of a key are ordered by their ends rather than by their starts. */
  readonly byEnd: boolean;
  /** A span is open while stream time is at most its end plus this, in ms. */
  readonly openMs: number;
}

/** The options of a span store. */
export interface SpanStoreOptions<K, A> extends SpanLayout {
  readonly key: Serde<K>;
  readonly codec: ValueCodec<A>;
  readonly cacheEntries: number;
  /** Converts a state into its result, for reads from outside. */
  readonly present: (state: A) => unknown;
  readonly limit: TimeLimit;
}

/** A window of a key whose bounds come from its records, both inclusive. */
export interface Span<A> extends SpanContent<A>, Window {
  /** Highest timestamp of the records in it. */
  readonly timestamp: number;
}

/** A span with its key. */
export interface KeySpan<K, A> extends Span<A> {
  readonly key: NonNullable<K>;
  readonly keyBytes: Uint8Array;
}

/**
 * Windows that are separate for each key, such as sessions, in order, with an index of when to check each key because
 * one of its windows may close. The spans of a key are stored together, and the cost of closing depends on what closes:
 * the index has a key at the time at which its first span closes, or earlier, and is only updated when that time comes.
 * The time of the step is kept here too.
 */
export class SpanStore<K, A> implements StateHolder {
  readonly name: string;
  readonly time: StepTime;
  readonly layout: SpanLayout;
  readonly #options: SpanStoreOptions<K, A>;
  readonly #rows: StoredRows<SpanContent<A>>;
  readonly #codec: ValueCodec<SpanContent<A>>;
  /** The index of when to check keys. */
  readonly #due: FrontRow<SpanContent<A>>;
  /** The earliest index entry, if known. */
  #firstDue: number | undefined;

  constructor(bytes: ByteStore, options: SpanStoreOptions<K, A>) {
    this.name = bytes.id.store;
    this.layout = options;
    this.#options = options;
    this.#codec = spanCodec(options.codec);
    this.#rows = new StoredRows(bytes, this.#codec, options.cacheEntries);
    this.#due = new FrontRow(this.#rows, SPANS_END, DUE_END);
    this.time = this.#rows.keepTime(options.limit);
  }

  /** The bytes of a key and the prefix of its spans, computed once per record. */
  keyOf(key: NonNullable<K>): readonly [keyBytes: Uint8Array, own: Uint8Array] {
    const keyBytes = this.#options.key.serialize(key);
    return [keyBytes, spansOf(keyBytes)];
  }

  /** The key that has these bytes. */
  keyFrom(keyBytes: Uint8Array): NonNullable<K> {
    return this.#options.key.deserialize(keyBytes);
  }

  /** The spans of a key, in order, whose first number is from `from` to `to`, both inclusive. */
  *spans(own: Uint8Array, from: number = 0, to: number = Number.MAX_SAFE_INTEGER): Generator<Span<A>> {
    const end = to >= Number.MAX_SAFE_INTEGER ? spansEnd(own) : spanKey(own, to + 1);
    for (const row of this.#rows.range(spanKey(own, from < 0 ? 0 : from), end)) yield this.#spanOf(row);
  }

  /** The first of those spans, at most so many. */
  first(own: Uint8Array, from: number, most: number, to: number = Number.MAX_SAFE_INTEGER): Span<A>[] {
    const end = to >= Number.MAX_SAFE_INTEGER ? spansEnd(own) : spanKey(own, to + 1);
    const spans: Span<A>[] = [];
    for (const row of this.#rows.list(spanKey(own, from < 0 ? 0 : from), end, most)) spans.push(this.#spanOf(row));
    return spans;
  }

  get(key: NonNullable<K>, window: Window): Span<A> | undefined {
    const row = this.#rows.get(this.#at(this.keyOf(key)[1], window));
    return row === undefined
      ? undefined
      : { start: window.start, end: window.end, ...row.value, timestamp: row.timestamp };
  }

  /** Checks whether a span can be stored, if changes are checked. @throws RecordError if it cannot. */
  check(own: Uint8Array, window: Window, content: SpanContent<A>, timestamp: number): void {
    const { check } = this.#rows.bytes;
    if (check !== undefined) check(this.#at(own, window), this.#codec.encode(content, timestamp));
  }

  put(own: Uint8Array, window: Window, content: SpanContent<A>, timestamp: number): void {
    this.#rows.put(this.#at(own, window), content, timestamp);
  }

  delete(own: Uint8Array, window: Window): void {
    this.#rows.delete(this.#at(own, window));
  }

  /** A span gets other bounds, and another content. */
  move(own: Uint8Array, from: Window, to: Window, content: SpanContent<A>, timestamp: number): void {
    this.#rows.move(this.#at(own, from), this.#at(own, to), content, timestamp);
  }

  /** Schedules a check of a key for stream time `time`. */
  wake(time: number, keyBytes: Uint8Array): void {
    const at = dueKey(time, keyBytes);
    if (this.#rows.get(at) !== undefined) return;
    this.#rows.put(at, DUE, -1);
    this.#due.added(at);
    if (this.#firstDue !== undefined && time < this.#firstDue) this.#firstDue = time;
  }

  /** The earliest time at which to check a key; `Infinity` if there is none. */
  get firstWake(): number {
    if (this.#firstDue === undefined) {
      const first = this.#due.first();
      this.#firstDue = first === undefined ? Number.POSITIVE_INFINITY : dueTime(first.keyBytes);
    }
    return this.#firstDue;
  }

  /** Takes the keys to check at `time` or earlier out of the index, without duplicates. */
  wakeBy(time: number): readonly Uint8Array[] {
    if (time < this.firstWake) return [];
    const due = this.#due.before(dueKey(time + 1));
    this.#firstDue = undefined;
    const keys = due.map(({ keyBytes }) => keyOfDue(keyBytes));
    // The rows are as they are now: they are read before one is deleted.
    for (const at of due.map(({ keyBytes }) => keyBytes)) this.#rows.delete(at);
    return keys.length < 2 ? keys : [...new Map(keys.map((key) => [bytesId(key), key])).values()];
  }

  /** All open spans with a state, ordered by key bytes, then by span. */
  *open(): Generator<KeySpan<K, A>> {
    for (const span of this.all()) {
      if (span.state !== undefined && span.shown && this.isOpen(span)) yield span;
    }
  }

  /** All spans. */
  *all(): Generator<KeySpan<K, A>> {
    for (const row of this.#rows.range(undefined, SPANS_END)) {
      const keyBytes = keyOfSpan(row.keyBytes);
      const [first, second] = numbersOf(row.keyBytes);
      const window = this.layout.byEnd ? { start: second, end: first } : { start: first, end: second };
      const key = this.#options.key.deserialize(keyBytes);
      yield { ...window, ...row.value, timestamp: row.timestamp, key, keyBytes };
    }
  }

  isOpen({ end }: Window): boolean {
    return this.time.streamTime <= end + this.layout.openMs;
  }

  collect(into: StoreWrites[]): void {
    this.#rows.collect(into);
  }

  committed(): void {
    this.#rows.committed();
  }

  describe(): StoreSnapshot {
    const { cached, dirty } = this.#rows;
    return { name: this.name, cached, dirty, streamTime: this.time.streamTime };
  }

  *entries(): IterableIterator<StoreEntry> {
    const { present } = this.#options;
    for (const { end, key, start, state, timestamp } of this.open()) {
      yield { key, value: present(state as A), timestamp, window: { start, end } };
    }
  }

  /** The current entries as bytes. */
  view(): ByteStore {
    return this.#rows.view();
  }

  /** The error for an unreadable span. */
  unreadable(failure: unknown, key: NonNullable<K>): unknown {
    return withKey(failure, () => key);
  }

  #at(own: Uint8Array, { end, start }: Window): Uint8Array {
    return this.layout.byEnd ? spanKey(own, end, start) : spanKey(own, start, end);
  }

  #spanOf({ keyBytes, timestamp, value }: StoredRow<SpanContent<A>>): Span<A> {
    const { failure, shown, state, unread } = value;
    const [first, second] = numbersOf(keyBytes);
    const { byEnd } = this.layout;
    const [start, end] = byEnd ? [second, first] : [first, second];
    return failure === undefined
      ? { start, end, state, shown, timestamp }
      : { start, end, state, shown, timestamp, failure, unread: unread as Uint8Array };
  }
}
