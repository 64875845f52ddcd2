import type { Aggregator } from '../aggregators/aggregator.ts';
import type { KeptRows } from '../dataflow/kept-rows.ts';
import type { StoreUse } from '../dataflow/node.ts';
import type { Take } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import { settled } from '../options/promises.ts';
import { type Change, makeChange, type StreamRecord } from '../record.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { type State, stateCodec } from './aggregation.ts';
import { keySerdeOf } from './keyed.ts';

/** The store of a running aggregate. */
export function aggregateStore<V, R>(name: string, aggregator: Aggregator<V, State, R, null>): StoreUse {
  return declareStore({
    name,
    kind: 'keyValue',
    key: 'upstream',
    value: stateCodec(aggregator, name),
    fingerprint: `aggregate ${aggregator.name}`,
    present: (state: State) => aggregator.result(state),
  });
}

/** The running aggregates of one task: what is done with a record, which emits the change of its key's row. */
export function aggregating<K, V, Row, Out extends Change<K, Row>>(
  step: Step<Out>,
  name: string,
  aggregator: Aggregator<V, State, Row, null>,
  rows: KeptRows<K, Row>,
): Take<StreamRecord<K | null, V | null>> {
  const { task } = step;
  const store = new KeyValueStore<K, State>(
    task.openStore(name),
    keySerdeOf<K>(step.place),
    stateCodec(aggregator, name),
    task.cacheEntries,
    (state) => aggregator.result(state),
  );
  task.addState(store);
  const rowOf = (state: State | undefined): Row | null =>
    state === undefined ? null : settled(aggregator.result(state));
  rows.keep(task, {
    get: (key) => rowOf(store.get(key)) ?? undefined,
    timestampOf: (key) => store.timestampOf(key),
  });
  return (record) => {
    const { key, value } = record;
    if (key === null || value === null) {
      step.drop(key === null ? 'null key' : 'null value');
      return;
    }
    const entry = store.entry(key as NonNullable<K>);
    const { value: state } = entry;
    const before = rowOf(state);
    const added = aggregator.add(state ?? aggregator.init(), value, record as StreamRecord<unknown, V>);
    const after = settled(added) ?? undefined;
    const timestamp = Math.max(entry.timestamp, record.timestamp);
    // Before anything is stored: a record whose result throws is left out altogether.
    const row = rowOf(after);
    if (after === undefined) store.delete(entry);
    else store.put(entry, after, timestamp);
    step.emitUpdate(makeChange(key, row as Row, before, timestamp, record) as Out);
  };
}
