import type { Serde } from '../serdes/serde.ts';
import { type KeyId, keyId, keyIdOfBytes } from './key-codec.ts';
import { type HistoryRow, KeyHistory } from './key-history.ts';
import { NUMBER_BYTES, readNumber } from './numbers.ts';
import { OrderedBytes } from './ordered-bytes.ts';
import { compareBytes } from './sorted-keys.ts';
import { TIME_KEY } from './step-time.ts';
import { prefixLength, timedKeyOf, timedNumber, timedTime } from './timed-keys.ts';

/**
 * The rows of all keys in memory. They are found by key, without the bytes of a row. An order of all keys is made when
 * somebody asks for a range of several, and kept up as long as it is used.
 */
export class KeyHistories<K, V> {
  readonly #key: Serde<K>;
  readonly #all = new Map<KeyId, KeyHistory<V>>();
  /** The same in the order of the store. */
  #order: OrderedBytes<KeyHistory<V>> | undefined;
  #orderUsed = false;
  /** The one that was last found by store key: neighbours mostly have the same. */
  #recent: KeyHistory<V> | undefined;

  constructor(key: Serde<K>) {
    this.#key = key;
  }

  of(key: NonNullable<K>): KeyHistory<V> | undefined {
    return this.#all.get(keyId(key, this.#key));
  }

  /** That of a key; a new one is to be given a row. */
  ensure(key: NonNullable<K>): KeyHistory<V> {
    const id = keyId(key, this.#key);
    return this.#all.get(id) ?? this.#open(id, this.#key.serialize(key));
  }

  /** The same by a store key. */
  ensureBytes(keyBytes: Uint8Array): KeyHistory<V> {
    const own = timedKeyOf(keyBytes);
    const id = keyIdOfBytes(own, this.#key);
    return this.#all.get(id) ?? this.#open(id, own);
  }

  /** Removes one without rows. */
  delete(history: KeyHistory<V>): void {
    this.#all.delete(history.id);
    this.#order?.delete(history.keyBytes);
  }

  /** The row with a store key. */
  get(keyBytes: Uint8Array): HistoryRow<V> | undefined {
    return isTime(keyBytes) ? undefined : this.#ofBytes(keyBytes)?.find(timedTime(keyBytes), timedNumber(keyBytes));
  }

  /** The rows with `from <= key < to`, also those that were deleted. */
  *range(from?: Uint8Array, to?: Uint8Array): IterableIterator<readonly [Uint8Array, HistoryRow<V>]> {
    const start = from === undefined ? 0 : prefixLength(from);
    if (from !== undefined && to !== undefined && start > 0 && startsWith(to, from, start)) {
      const history = this.#ofBytes(from);
      if (history !== undefined) yield* rowsOf(history, from, to);
      return;
    }
    // Rows behind a bound may belong to a key that is before it.
    for (const [keyBytes, history] of this.#ordered().range(start > 0 ? from?.subarray(0, start) : from)) {
      if (to !== undefined && compareBytes(keyBytes, to) >= 0) return;
      yield* rowsOf(history, from, to);
    }
  }

  /** A commit is over: the order is given up if nobody has used it since the last one. */
  committed(): void {
    if (!this.#orderUsed) this.#order = undefined;
    this.#orderUsed = false;
  }

  #ofBytes(keyBytes: Uint8Array): KeyHistory<V> | undefined {
    const recent = this.#recent;
    if (recent !== undefined && !recent.isEmpty && startsWith(keyBytes, recent.keyBytes, recent.keyBytes.length)) {
      return recent;
    }
    this.#recent = this.#all.get(keyIdOfBytes(timedKeyOf(keyBytes), this.#key));
    return this.#recent;
  }

  #open(id: KeyId, key: Uint8Array): KeyHistory<V> {
    const history = new KeyHistory<V>(id, key);
    this.#all.set(id, history);
    this.#order?.set(history.keyBytes, history);
    return history;
  }

  #ordered(): OrderedBytes<KeyHistory<V>> {
    this.#orderUsed = true;
    if (this.#order !== undefined) return this.#order;
    const order = new OrderedBytes<KeyHistory<V>>();
    const sorted = [...this.#all.values()].sort((one, other) => compareBytes(one.keyBytes, other.keyBytes));
    for (const history of sorted) order.set(history.keyBytes, history);
    this.#order = order;
    return order;
  }
}

/** Whether a store key is that of the time of the step. */
export function isTime(key: Uint8Array): boolean {
  return key.length === 1 && key[0] === TIME_KEY[0];
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array, length: number): boolean {
  if (bytes.length < length) return false;
  for (let at = 0; at < length; at += 1) if (bytes[at] !== prefix[at]) return false;
  return true;
}

/** The rows of a key with `from <= key < to`. */
function* rowsOf<V>(
  history: KeyHistory<V>,
  from: Uint8Array | undefined,
  to: Uint8Array | undefined,
): Generator<readonly [Uint8Array, HistoryRow<V>]> {
  const { keyBytes: prefix } = history;
  const { length } = prefix;
  const within = from !== undefined && from.length >= length + NUMBER_BYTES && startsWith(from, prefix, length);
  for (const row of history.from(within ? readNumber(from, length) : 0)) {
    const keyBytes = history.keyOf(row.time, row.number);
    if (from !== undefined && compareBytes(keyBytes, from) < 0) continue;
    if (to !== undefined && compareBytes(keyBytes, to) >= 0) return;
    if (row.here) yield [keyBytes, row];
  }
}
