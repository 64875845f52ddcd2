import type { OperatorFunction } from 'rxjs';
import type { Aggregator, Spec } from '../aggregators/aggregator.ts';
import { agg } from '../aggregators/index.ts';
import { checkNames } from '../option-checks.ts';
import { settled } from '../promises.ts';
import { makeRecord, type StreamRecord } from '../record.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { declareStore } from '../state/store-spec.ts';
import { operator } from '../topology/operator.ts';
import { type AggregationResult, type State, stateCodec, toAggregator } from './aggregation.ts';
import { checkStoreName, keySerdeOf } from './keyed.ts';

/** @public */
export interface AggregateOptions {
  /** Name of the state store; unique in a pipeline. State is found by it: keep it when the pipeline changes. */
  readonly store: string;
}

/**
 * Keeps a running aggregate per key, and emits it after each record.
 *
 * ```text
 * aggregate(agg.sum((n) => n), { store: 'totals' })
 *
 * source  --a:1----b:5----a:2--|
 * result  --a:1----b:5----a:3--|
 * ```
 *
 * Records are applied in order of arrival, late ones too; the timestamp of a row is the highest of the key's records. Null
 * keys and null values are dropped and counted. When the aggregator returns null the entry is deleted and a row with a null
 * value (a tombstone) is emitted; the next record starts again. State moves with the commits of the stage: a restart goes
 * on where the last commit was.
 *
 * @param aggregation - One aggregator, or several by name that share one store.
 * @param options - `store` is required.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
 * @see {@link windowBy} for aggregates per event-time window.
 * @public
 */
export function aggregate<K, V, A, R, S extends Spec<V>>(
  aggregation: Aggregator<V, A, R> | S,
  options: AggregateOptions,
): OperatorFunction<StreamRecord<K | null, V | null>, StreamRecord<K, AggregationResult<V, R, S>>> {
  type Result = AggregationResult<V, R, S>;
  type Out = StreamRecord<K, Result>;
  const aggregator = toAggregator<V, A, R, S>(aggregation);
  checkNames('aggregate', options ?? {}, { store: true });
  const name = checkStoreName(options?.store, 'aggregate');
  return operator<StreamRecord<K | null, V | null>, Out>({
    name: 'aggregate',
    detail: name,
    needsKey: true,
    stores: [
      declareStore({
        name,
        kind: 'keyValue',
        key: 'upstream',
        value: stateCodec(aggregator, name),
        fingerprint: `aggregate ${aggregator.name}`,
        present: (state) => aggregator.result(state),
      }),
    ],
    create(step) {
      const { task } = step;
      const codec = stateCodec(aggregator, name);
      const store = new KeyValueStore<K, State>(
        task.openStore(name),
        keySerdeOf<K>(step.place),
        codec,
        task.cacheEntries,
        (state) => aggregator.result(state),
      );
      task.addState(store);
      return (record) => {
        const { key, value, headers, topic, partition, offset } = record;
        if (key === null || value === null) {
          step.drop(key === null ? 'null key' : 'null value');
          return;
        }
        const entry = store.entry(key as NonNullable<K>);
        const before = entry.value === undefined ? aggregator.init() : entry.value;
        const after = settled(aggregator.add(before, value, record as StreamRecord<unknown, V>));
        const timestamp = Math.max(entry.timestamp, record.timestamp);
        // Before anything is stored: a record whose result throws is left out altogether.
        const result = after === null || after === undefined ? (null as Result) : settled(aggregator.result(after));
        if (after === null || after === undefined) store.delete(entry);
        else store.put(entry, after, timestamp);
        step.emitUpdate(makeRecord(key, result, timestamp, headers, topic, partition, offset));
      };
    },
  });
}

/**
 * Counts the records of each key: `aggregate(agg.count(), options)`.
 *
 * @public
 */
export function countByKey<K, V>(
  options: AggregateOptions,
): OperatorFunction<StreamRecord<K | null, V | null>, StreamRecord<K, number>> {
  return aggregate(agg.count(), options);
}

/**
 * Folds the values of each key into one: `aggregate(agg.reduce(fold), options)`. The first value is taken as it is.
 *
 * @public
 */
export function reduceByKey<K, V>(
  fold: (left: V, right: V) => V,
  options: AggregateOptions,
): OperatorFunction<StreamRecord<K | null, V | null>, StreamRecord<K, V>> {
  return aggregate(agg.reduce(fold), options);
}
