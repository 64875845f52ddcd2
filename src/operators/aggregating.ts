import type { Aggregator } from '../aggregators/aggregator.ts';
import type { KeptRows } from '../dataflow/kept-rows.ts';
import type { StoreUse } from '../dataflow/node.ts';
import type { Take } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import type { IdleTime } from '../dataflow/task-context.ts';
import { settled } from '../options/promises.ts';
import { type Change, makeChange, type StreamRecord } from '../record.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { type State, stateCodec } from './aggregation.ts';
import { keySerdeOf } from './keyed.ts';
import { openExpiry, ttlStores } from './row-expiry.ts';

/** The stores of a running aggregate. */
export function aggregateStores<V, R>(
  name: string,
  aggregator: Aggregator<V, State, R, null>,
  ttlMs: number | undefined,
): readonly StoreUse[] {
  const rows = declareStore({
    name,
    kind: 'keyValue',
    key: 'upstream',
    value: stateCodec(aggregator, name),
    fingerprint: `aggregate ${aggregator.name}`,
    present: (state: State) => aggregator.result(state),
  });
  return [rows, ...ttlStores(name, ttlMs)];
}

/** The running aggregates of one task. */
export interface Aggregating<K, V> {
  /** Handles a record and emits the change of its key's row. */
  readonly take: Take<StreamRecord<K | null, V | null>>;
  /** See `Instance`; present if rows have a time to live. */
  readonly advance?: () => void;
  readonly idle?: IdleTime;
  readonly holds?: () => number;
}

export function aggregating<K, V, Row, Out extends Change<K, Row>>(
  step: Step<Out>,
  name: string,
  aggregator: Aggregator<V, State, Row, null>,
  rows: KeptRows<K, Row>,
  ttlMs: number | undefined,
): Aggregating<K, V> {
  const { task } = step;
  const bytes = task.openStore(name);
  const keys = keySerdeOf<K>(step.place);
  const store = new KeyValueStore<K, State>(bytes, keys, stateCodec(aggregator, name), task.cacheEntries, (state) =>
    aggregator.result(state),
  );
  task.addState(store);
  const rowOf = (state: State | undefined): Row | null =>
    state === undefined ? null : settled(aggregator.result(state));
  const expiry =
    ttlMs === undefined
      ? undefined
      : openExpiry<K, State, Row>(
          step as Step<never>,
          { name, ttlMs, rows: store, bytes, key: keys },
          rowOf,
          (change) => step.emitRow(change.key as NonNullable<K>, change as Out),
        );
  const expiring = expiry?.rows;
  rows.keep(
    task,
    expiry?.looked ?? {
      get: (key) => rowOf(store.get(key)) ?? undefined,
      timestampOf: (key) => store.timestampOf(key),
    },
  );
  const take = (record: StreamRecord<K | null, V | null>): void => {
    const { key, value } = record;
    if (key === null || value === null) {
      step.drop(key === null ? 'null key' : 'null value');
      return;
    }
    expiring?.observe(record.timestamp);
    const entry = store.entry(key as NonNullable<K>);
    expiring?.endFor(entry, key as NonNullable<K>);
    const { value: state } = entry;
    if (state === undefined && expiring?.isOver(record.timestamp) === true) {
      step.drop('older than the ttl');
      return;
    }
    const before = rowOf(state);
    const added = aggregator.add(state ?? aggregator.init(), value, record as StreamRecord<unknown, V>);
    const after = settled(added) ?? undefined;
    const timestamp = Math.max(entry.timestamp, record.timestamp);
    // Computed before anything is stored: if it throws, the record has no effect.
    const row = rowOf(after);
    if (expiring === undefined) {
      if (after === undefined) store.delete(entry);
      else store.put(entry, after, timestamp);
    } else if (after === undefined) expiring.delete(entry, key as NonNullable<K>);
    else expiring.put(entry, key as NonNullable<K>, after, timestamp);
    step.emitUpdate(makeChange(key, row as Row, before, timestamp, record) as Out);
  };
  if (expiring === undefined) return { take };
  // A deletion has the time at which its row ended.
  return { take, advance: () => expiring.advance(), idle: expiring.idle, holds: expiring.idle.due };
}
