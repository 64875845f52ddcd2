import type { Serde } from '../serdes/serde.ts';
import type { ByteStore } from './byte-store.ts';
import type { Entry, KeyValueStore } from './key-value-store.ts';
import { readNumber } from './numbers.ts';
import { compareBytes } from './sorted-keys.ts';
import type { StepTime } from './step-time.ts';
import type { Waiting } from './waiting.ts';

/** A row that has ended. */
export interface ExpiredRow<K, V> {
  readonly key: NonNullable<K>;
  readonly value: V;
  /** The time from which on it is gone. */
  readonly endMs: number;
}

/** What happens to rows; called in order, synchronously. */
export interface ExpiryEvents<K, V> {
  /** A row has been removed. */
  expired(row: ExpiredRow<K, V>): void;
  /** A row that cannot be read any more has been removed. */
  unread(error: unknown, key: NonNullable<K>, stored: Uint8Array | undefined): void;
}

/**
 * Rows that live for a time: each until stream time reaches its timestamp, the highest one of its writes, plus that time. For the
 * record under way they have ended by its own time, also where stream time is held back for tasks that are behind. The
 * index has each key at the timestamp of its row or at an earlier one, so a row that is written again and again costs it nothing:
 * what is not over yet when its time comes is noted anew.
 */
export class ExpiringRows<K, V> {
  readonly #rows: KeyValueStore<K, V>;
  readonly #waiting: Waiting<K, 'rows'>;
  readonly #ttlMs: number;
  readonly #events: ExpiryEvents<K, V>;
  readonly #bytes: ByteStore;
  readonly #key: Serde<K>;
  /** Time of the record under way; −1 where there is none. */
  #asOf = -1;

  /** @param bytes - Of the rows. Those from before there was an index are noted now, by their stored timestamps. */
  constructor(
    ttlMs: number,
    rows: KeyValueStore<K, V>,
    waiting: Waiting<K, 'rows'>,
    bytes: ByteStore,
    key: Serde<K>,
    events: ExpiryEvents<K, V>,
  ) {
    this.#ttlMs = ttlMs;
    this.#rows = rows;
    this.#waiting = waiting;
    this.#bytes = bytes;
    this.#key = key;
    this.#events = events;
    if (!waiting.isNew) return;
    for (const [keyBytes, stored] of bytes.range()) {
      waiting.part('rows').add(readNumber(stored, 0), key.deserialize(keyBytes));
    }
  }

  /** Whether rows have ended that are not removed yet: only when time came from somebody who looks. */
  get behind(): boolean {
    return this.#endNow >= this.#waiting.part('rows').first;
  }

  /** The time of the step, and when the first row ends, or a little before. */
  get idle(): { readonly time: StepTime; due(): number } {
    const index = this.#waiting.part('rows');
    return { time: this.#waiting.time, due: () => index.first + this.#ttlMs };
  }

  get(key: NonNullable<K>): V | undefined {
    const { timestamp, value } = this.#rows.entry(key);
    return value === undefined || timestamp <= this.#endNow ? undefined : value;
  }

  timestampOf(key: NonNullable<K>): number {
    const { timestamp, value } = this.#rows.entry(key);
    return value === undefined || timestamp <= this.#endNow ? -1 : timestamp;
  }

  /** Whether what was written at a time has ended. */
  isOver(timestamp: number): boolean {
    return timestamp <= this.#end;
  }

  /** A record has come: what has ended by its time goes first. */
  observe(timestamp: number): void {
    this.#asOf = timestamp;
    this.#waiting.time.observe(timestamp);
    this.expire();
  }

  /**
   * The row of the key that the record under way is for: it goes first when it has ended by the time of that record. Others of
   * the same time may still come before their rows end, and are waited for by stream time.
   */
  endFor(entry: Entry<V>, key: NonNullable<K>): void {
    const { timestamp, value } = entry;
    if (value === undefined || timestamp > this.#endNow) return;
    this.delete(entry, key);
    this.#events.expired({ key, value, endMs: timestamp + this.#ttlMs });
  }

  /** Stream time may go further than before. */
  advance(): void {
    this.#asOf = -1;
    if (this.#waiting.time.advance()) this.expire();
  }

  /** Time has come to there for somebody who looks. @returns Whether rows have to be removed. */
  reach(timestamp: number): boolean {
    this.#asOf = timestamp;
    this.#waiting.time.observe(timestamp);
    return this.#end >= this.#waiting.part('rows').first;
  }

  /** Sets a row. One that is not there yet must not be over. @throws as the store's `put` */
  put(entry: Entry<V>, key: NonNullable<K>, value: V, timestamp: number): void {
    const { timestamp: before, value: known } = entry;
    const lives = known === undefined ? timestamp : Math.max(before, timestamp);
    this.#rows.put(entry, value, lives);
    if (known === undefined) this.#waiting.part('rows').add(lives, key);
  }

  delete(entry: Entry<V>, key: NonNullable<K>): void {
    if (entry.value === undefined) return;
    // Where it has been written again the index has it earlier, until then.
    this.#waiting.part('rows').delete(entry.timestamp, key);
    this.#rows.delete(entry);
  }

  /** Removes what has ended, by its end, then by key bytes. */
  expire(): void {
    const end = this.#end;
    const index = this.#waiting.part('rows');
    if (end < index.first) return;
    const gone: (ExpiredRow<K, V> & { readonly keyBytes: Uint8Array })[] = [];
    for (const { key } of index.take(end)) {
      const entry = this.#entry(key);
      if (entry?.value === undefined) continue;
      const { keyBytes, timestamp, value } = entry;
      if (timestamp > end) {
        index.add(timestamp, key);
        continue;
      }
      gone.push({ key, value, endMs: timestamp + this.#ttlMs, keyBytes });
      this.#rows.delete(entry);
    }
    gone.sort((one, other) => one.endMs - other.endMs || compareBytes(one.keyBytes, other.keyBytes));
    for (const row of gone) this.#events.expired(row);
  }

  #entry(key: NonNullable<K>): Entry<V> | undefined {
    try {
      return this.#rows.entry(key);
    } catch (error) {
      const stored = this.#bytes.get(this.#key.serialize(key));
      this.#rows.set(key, undefined, -1);
      this.#events.unread(error, key, stored);
      return undefined;
    }
  }

  get #end(): number {
    return this.#waiting.time.streamTime - this.#ttlMs;
  }

  /** What was written until then has ended for the record under way. */
  get #endNow(): number {
    return Math.max(this.#waiting.time.streamTime, this.#asOf) - this.#ttlMs;
  }
}
