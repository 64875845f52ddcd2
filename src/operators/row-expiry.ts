import type { StoreUse } from '../dataflow/node.ts';
import type { Step } from '../dataflow/step.ts';
import type { Rows } from '../dataflow/table-source.ts';
import type { Deferred } from '../dataflow/task-context.ts';
import { ConfigError } from '../errors.ts';
import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import { type Change, makeChange, NO_HEADERS } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { ByteStore } from '../state/byte-store.ts';
import { type ExpiredRow, ExpiringRows } from '../state/expiring-rows.ts';
import type { KeyValueStore } from '../state/key-value-store.ts';
import { Waiting } from '../state/waiting.ts';

/** `null` if rows have a time to live and are deleted after it; `never` if they have none. @public */
export type Expires<T> = [T] extends [undefined] ? never : null;

/** @throws ConfigError `ERR_DURATION`; `ERR_OPTION` for zero. */
export function ttlOf(where: string, ttl: Duration | undefined): number | undefined {
  if (ttl === undefined) return undefined;
  const ms = durationMs(ttl, `${where}: ttl`);
  if (ms > 0) return ms;
  throw new ConfigError('ERR_OPTION', `${where}: ttl is ${formatMs(ms)}`, {
    hint: "say how long a row lives after its last record, such as ttl: '1d'; leave it out for rows that stay",
  });
}

/** The store of the times at which the rows of another store expire. */
export function ttlStores(name: string, ttlMs: number | undefined): readonly StoreUse[] {
  return ttlMs === undefined ? [] : [{ name: `${name}-ttl`, fingerprint: 'ttl' }];
}

/** A store whose rows have a time to live. */
export interface ExpiringStore<K, V> {
  readonly name: string;
  readonly ttlMs: number;
  readonly rows: KeyValueStore<K, V>;
  /** The store of the rows, as bytes. */
  readonly bytes: ByteStore;
  readonly key: Serde<K>;
  /** The topic of changes that no record causes; by default they have none. */
  readonly topic?: string;
}

/** How a step works with rows that have a time to live. */
export interface Expiry<K, V, R> {
  readonly rows: ExpiringRows<K, V>;
  /** For steps that look rows up. */
  readonly looked: Rows<K, R>;
}

/**
 * Opens the expiry of a store, which removes rows when their time is over. Add the store's rows to the task first.
 *
 * @param rowOf - Turns a stored value into a row.
 * @param emit - Called with the deletion of an expired row.
 */
export function openExpiry<K, V, R>(
  step: Step<never>,
  { bytes, key, name, rows, topic = '', ttlMs }: ExpiringStore<K, V>,
  rowOf: (value: V) => R | null,
  emit: (change: Change<K, R>) => void,
): Expiry<K, V, R> {
  const { place, task } = step;
  const waiting = new Waiting<K, 'rows'>(task.openStore(`${name}-ttl`), key, step.time, task.cacheEntries, ['rows']);
  task.addState(waiting);
  const origin = { headers: NO_HEADERS, topic, partition: task.partition, offset: -1 };
  /** The row that has expired. Steps below must see its deletion even if the row can no longer be decoded. */
  const before = ({ key: of, value }: ExpiredRow<K, V>, timestamp: number): R | null => {
    try {
      return rowOf(value);
    } catch (error) {
      const { keySerde } = step;
      step.rowFailed(error, { key: of, keySerde, window: undefined, timestamp, holds: 'state', content: value });
      return null;
    }
  };
  const expiring = new ExpiringRows<K, V>(ttlMs, rows, waiting, bytes, key, {
    expired(row) {
      emit(makeChange<K, R>(row.key, null, before(row, row.endMs), row.endMs, origin));
    },
    unread(error, of, stored) {
      const { keySerde } = step;
      const content = stored ?? new Uint8Array(0);
      step.rowFailed(error, { key: of, keySerde, window: undefined, timestamp: -1, holds: 'stored', content });
    },
  });
  let isDeferred = false;
  const removal: Deferred = {
    depth: place.depth,
    run() {
      isDeferred = false;
      expiring.expire();
    },
  };
  return {
    rows: expiring,
    looked: {
      get(of) {
        const value = expiring.get(of);
        return value === undefined ? undefined : (rowOf(value) ?? undefined);
      },
      timestampOf: (of) => expiring.timestampOf(of),
      time: {
        get behind() {
          return expiring.behind;
        },
        reach(timestamp) {
          if (!expiring.reach(timestamp) || isDeferred) return;
          isDeferred = true;
          task.defer(removal);
        },
      },
    },
  };
}
