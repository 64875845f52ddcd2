import type { StreamRecord, Window } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { HeldRecord } from './held-record.ts';
import { OldestHeld } from './oldest-held.ts';
import type { StepTime } from './step-time.ts';
import { timedKey, timedParts } from './timed-keys.ts';
import type { TimedStore } from './timed-store.ts';
import type { ValueCodec } from './value-codec.ts';
import type { Waiting } from './waiting.ts';

/** A row as it comes: of a window, or with the row before it, or neither. */
export type SuppressedRow = StreamRecord<unknown, unknown, unknown> & {
  readonly window?: Window;
  readonly before?: unknown;
};

/** When rows go on, and how many wait. */
export interface SuppressRules {
  /** Rows wait for the end of their window, else from their first timestamp on. */
  readonly onClose: boolean;
  /** How far stream time must be from there. */
  readonly delayMs: number;
  /** The most that may wait; `Infinity` for no bound. */
  readonly maxRecords: number;
  readonly maxBytes: number;
  /** Whether the first rows go on early when more wait; else nothing can go on. */
  readonly early: boolean;
}

/** What happens to rows; called in order, synchronously. */
export interface SuppressEvents<K> {
  /** A row that had waited goes on. */
  released(key: NonNullable<K>, row: HeldRecord): void;
  /** A row that had waited cannot be read any more. */
  unread(error: unknown, key: NonNullable<K>, stored: Uint8Array): void;
  /** More rows wait than may. @throws always */
  full(): never;
}

/**
 * Holds back rows, the newest one of each key and window, until their time has come: by that time, then by key bytes. A row that comes
 * after its time goes on at once.
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

  /** @returns Whether the row has to go on at once. */
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
    // Whoever sees the row that goes on has seen the one before the first that waited.
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

  /** No row that waits is older; `Infinity` where none waits. */
  get oldest(): number {
    return this.#held.oldest;
  }

  /** Stream time may go further than before. */
  advance(): void {
    const { time } = this.#waiting;
    if (time.advance()) this.#release(time.streamTime - this.#rules.delayMs);
  }

  get time(): StepTime {
    return this.#waiting.time;
  }

  /** Stream time at which the first row goes on, or a little before; `Infinity` where none waits. */
  get nextDue(): number {
    return this.#due.first + this.#rules.delayMs;
  }

  /** Moves stream time without a record, as far as it takes for no row to wait. */
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
    // What is deleted when its window closes was never there for those below.
    if (!this.#rules.onClose || held.value !== null) this.#events.released(key, held);
  }
}

/** A window without an end is as good as one that ends last. */
function lastOf(window: Window | undefined): number {
  const end = window?.end ?? 0;
  return end < Number.MAX_SAFE_INTEGER ? end : Number.MAX_SAFE_INTEGER;
}
