import type { Serde } from '../serdes/serde.ts';
import type { ByteStore } from './byte-store.ts';
import type { Entry, KeyValueStore } from './key-value-store.ts';
import { readNumber } from './numbers.ts';
import { compareBytes } from './sorted-keys.ts';
import type { StepTime } from './step-time.ts';
import type { Waiting } from './waiting.ts';

/** A row that has expired. */
export interface ExpiredRow<K, V> {
  readonly key: NonNullable<K>;
  readonly value: V;
  /** The time at which it expired. */
  readonly endMs: number;
}

/** Callbacks for expired rows; called in order, synchronously. */
export interface ExpiryEvents<K, V> {
  /** A row has been removed. */
  expired(row: ExpiredRow<K, V>): void;
  /** An unreadable row has been removed. */
  unread(error: unknown, key: NonNullable<K>, stored: Uint8Array | undefined): void;
}

/**
 * Rows with a time to live: each lives until stream time reaches its timestamp (the highest one of its writes) plus
 * that time. For the current record, expiry is decided by the record's own time, even if stream time is held back for
 * slower tasks. The index has each key at the timestamp of its row or earlier, so rewriting a row does not touch it: a
 * row that has not expired when its index entry is due is re-indexed.
 */
export class ExpiringRows<K, V> {
  readonly #rows: KeyValueStore<K, V>;
  readonly #waiting: Waiting<K, 'rows'>;
  readonly #ttlMs: number;
  readonly #events: ExpiryEvents<K, V>;
  readonly #bytes: ByteStore;
  readonly #key: Serde<K>;
  /** Time of the current record; −1 if there is none. */
  #asOf = -1;

  /**
   * @param bytes - The store of the rows. Rows from before there was an index are indexed now, by their stored
   * timestamps.
   */
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

  /** Whether rows have expired that are not removed yet; this happens only if a look-up has advanced time. */
  get behind(): boolean {
    return this.#endNow >= this.#waiting.part('rows').first;
  }

  /** The time of the step, and when the first row expires, or slightly before. */
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

  /** Whether a row written at a time has expired. */
  isOver(timestamp: number): boolean {
    return timestamp <= this.#end;
  }

  /** Called for each record: first removes what has expired by its time. */
  observe(timestamp: number): void {
    this.#asOf = timestamp;
    this.#waiting.time.observe(timestamp);
    this.expire();
  }

  /**
   * Removes the row of the current record's key first, if it has expired by the time of that record. Rows of other keys
   * wait for stream time, because records for them may still arrive before they expire.
   */
  endFor(entry: Entry<V>, key: NonNullable<K>): void {
    const { timestamp, value } = entry;
    if (value === undefined || timestamp > this.#endNow) return;
    this.delete(entry, key);
    this.#events.expired({ key, value, endMs: timestamp + this.#ttlMs });
  }

  /** The limit of stream time has risen. */
  advance(): void {
    this.#asOf = -1;
    if (this.#waiting.time.advance()) this.expire();
  }

  /** Advances time for a look-up. @returns Whether rows have to be removed. */
  reach(timestamp: number): boolean {
    this.#asOf = timestamp;
    this.#waiting.time.observe(timestamp);
    return this.#end >= this.#waiting.part('rows').first;
  }

  /** Sets a row. A new row must not have expired already. @throws as the store's `put` */
  put(entry: Entry<V>, key: NonNullable<K>, value: V, timestamp: number): void {
    const { timestamp: before, value: known } = entry;
    const lives = known === undefined ? timestamp : Math.max(before, timestamp);
    this.#rows.put(entry, value, lives);
    if (known === undefined) this.#waiting.part('rows').add(lives, key);
  }

  delete(entry: Entry<V>, key: NonNullable<K>): void {
    if (entry.value === undefined) return;
    // If the row has been rewritten, the index has it at an earlier time, until that time comes.
    this.#waiting.part('rows').delete(entry.timestamp, key);
    this.#rows.delete(entry);
  }

  /** Removes expired rows, in order of their ends, then of key bytes. */
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

  /** Rows written up to this time have expired for the current record. */
  get #endNow(): number {
    return Math.max(this.#waiting.time.streamTime, this.#asOf) - this.#ttlMs;
  }
}
