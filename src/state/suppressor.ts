import type { StreamRecord, Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { HeldRecord } from './held-record.ts';
import { OldestHeld } from './oldest-held.ts';
import type { StepTime } from './step-time.ts';
import { timedKey, timedParts } from './timed-keys.ts';
import type { TimedStore } from './timed-store.ts';
import type { ValueCodec } from './value-codec.ts';
import type { Waiting } from './waiting.ts';

/** An arriving row, which may have a window or the row before it. */
export type SuppressedRow = StreamRecord<unknown, unknown, unknown> & {
  readonly window?: Window;
  readonly before?: unknown;
};

/** When rows are emitted, and how many may wait. */
export interface SuppressRules {
  /** Whether rows wait for the end of their window; otherwise they wait from the arrival of the first one. */
  readonly onClose: boolean;
  /** How far stream time must advance from there, in ms. */
  readonly delayMs: number;
  /** The most rows that may wait; `Infinity` for no bound. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Whether the earliest rows are emitted early when more wait; otherwise the application fails. */
  readonly early: boolean;
}

/** Callbacks for rows; called in order, synchronously. */
export interface SuppressEvents<K> {
  /** A waiting row is emitted. */
  released(key: NonNullable<K>, row: HeldRecord): void;
  /** A waiting row cannot be read any more. */
  unread(error: unknown, key: NonNullable<K>, stored: Uint8Array): void;
  /** Too many rows wait. @throws always */
  full(): never;
}

/**
 * Holds back rows, the newest one of each key and window, until they are due, and emits them in order of that time,
 * then of key bytes. A row that arrives after its time is emitted at once.
 */
export class Suppressor<K> {
  readonly #rules: SuppressRules;
  readonly #rows: TimedStore<K, HeldRecord>;
  readonly #waiting: Waiting<Uint8Array, 'rows'>;
  readonly #key: Serde<K>;
  readonly #codec: ValueCodec<HeldRecord>;
  readonly #events: SuppressEvents<K>;
  #records = 0;
  #bytes = 0;
  readonly #held: OldestHeld;

  constructor(
    rules: SuppressRules,
    rows: TimedStore<K, HeldRecord>,
    waiting: Waiting<Uint8Array, 'rows'>,
    key: Serde<K>,
    codec: ValueCodec<HeldRecord>,
    events: SuppressEvents<K>,
  ) {
    this.#rules = rules;
    this.#rows = rows;
    this.#waiting = waiting;
    this.#key = key;
    this.#codec = codec;
    this.#events = events;
    this.#held = new OldestHeld(this.#due, () => this.#stored());
    if (!this.#isBounded) return;
    for (const { value } of rows.all()) this.#count(1, value);
  }

  /** @returns Whether the row must be emitted at once. */
  add(key: NonNullable<K>, row: SuppressedRow): boolean {
    const { time } = this.#waiting;
    const { headers, offset, partition, timestamp, topic, value, window } = row;
    const end = lastOf(window);
    const start = window?.start ?? 0;
    const known = this.#rows.get(key, end, start);
    const until = known?.until ?? (this.#rules.onClose ? end : timestamp);
    const { delayMs } = this.#rules;
    if (known === undefined && until <= time.reach(timestamp) - delayMs) {
      time.observe(timestamp);
      this.#release(time.streamTime - delayMs);
      return true;
    }
    // Steps below have last seen the row before the first one that waited.
    const before = known?.before === undefined ? row.before : known.before;
    const held: HeldRecord = {
      until,
      value,
      timestamp,
      headers,
      topic,
      partition,
      offset,
      ...(window === undefined ? {} : { window }),
      ...(before === undefined ? {} : { before }),
    };
    this.#rows.put(key, end, held, start);
    if (known === undefined) this.#due.add(until, timedKey(this.#key.serialize(key), end, start));
    else if (this.#isBounded) this.#count(-1, known);
    if (this.#isBounded) this.#count(1, held);
    this.#held.add(until - timestamp);
    time.observe(timestamp);
    this.#release(time.streamTime - delayMs);
    this.#makeRoom();
    return false;
  }

  /** Lower bound for the timestamps of waiting rows; `Infinity` if none waits. */
  get oldest(): number {
    return this.#held.oldest;
  }

  /** The limit of stream time has risen. */
  advance(): void {
    const { time } = this.#waiting;
    if (time.advance()) this.#release(time.streamTime - this.#rules.delayMs);
  }

  get time(): StepTime {
    return this.#waiting.time;
  }

  /** Stream time at which the first row is due, or slightly before; `Infinity` if none waits. */
  get nextDue(): number {
    return this.#due.first + this.#rules.delayMs;
  }

  /** Advances stream time without a record until no row waits. */
  closeAll(): void {
    let last = -1;
    for (const { time } of this.#due.all()) last = time;
    if (last < 0) return;
    this.#waiting.time.moveTo(last + this.#rules.delayMs);
    this.#release(last);
  }

  *#stored(): Generator<number> {
    for (const { key } of this.#due.all()) {
      const { key: keyBytes, number: start, time: end } = timedParts(key);
      const held = this.#readable(keyBytes, end, start);
      if (held !== undefined) yield held.until - held.timestamp;
    }
  }

  #readable(keyBytes: Uint8Array, end: number, start: number): HeldRecord | undefined {
    try {
      return this.#rows.get(this.#key.deserialize(keyBytes), end, start);
    } catch {
      return undefined;
    }
  }

  get #due() {
    return this.#waiting.part('rows');
  }

  get #isBounded(): boolean {
    const { maxBytes, maxRecords } = this.#rules;
    return maxRecords < Number.POSITIVE_INFINITY || maxBytes < Number.POSITIVE_INFINITY;
  }

  #count(sign: 1 | -1, held: HeldRecord): void {
    this.#records += sign;
    if (this.#rules.maxBytes < Number.POSITIVE_INFINITY) this.#bytes += sign * this.#codec.encode(held, 0).length;
  }

  #release(until: number): void {
    for (const { key } of this.#due.take(until)) this.#goOn(key);
  }

  #makeRoom(): void {
    const { early, maxBytes, maxRecords } = this.#rules;
    while (this.#records > maxRecords || this.#bytes > maxBytes) {
      if (!early) this.#events.full();
      const first = this.#due.takeFirst();
      if (first === undefined) return;
      this.#goOn(first.key);
    }
  }

  #goOn(id: Uint8Array): void {
    const { key: keyBytes, number: start, time: end } = timedParts(id);
    const key = this.#key.deserialize(keyBytes);
    let held: HeldRecord | undefined;
    try {
      held = this.#rows.get(key, end, start);
    } catch (error) {
      for (const stored of this.#rows.stored(key, end)) this.#events.unread(error, key, stored);
    }
    this.#rows.delete(key, end, start);
    if (held === undefined) return;
    if (this.#isBounded) this.#count(-1, held);
    // A row that is deleted when its window closes never existed for the steps below.
    if (!this.#rules.onClose || held.value !== null) this.#events.released(key, held);
  }
}

/** A window without an end counts as one that ends last. */
function lastOf(window: Window | undefined): number {
  const end = window?.end ?? 0;
  return end < Number.MAX_SAFE_INTEGER ? end : Number.MAX_SAFE_INTEGER;
}
