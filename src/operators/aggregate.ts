import type { OperatorFunction } from 'rxjs';
import type { Aggregator, Spec } from '../aggregators/aggregator.ts';
import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import { checkNames } from '../options/option-checks.ts';
import type { Change, StreamRecord } from '../record.ts';
import { aggregateStore, aggregating } from './aggregating.ts';
import { type AggregationDeletes, type AggregationResult, toAggregator } from './aggregation.ts';
import { checkStoreName } from './keyed.ts';

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
 * source  --a:1----b:5----a:2--------|
 * result  --a:1----b:5----a:3 was 1--|
 * ```
 *
 * What is emitted are changes of rows: `before` is the row that the key had.
 *
 * Records are applied in order of arrival, late ones too; the timestamp of a row is the highest of the key's records. Null
 * keys and null values are dropped and counted. When the aggregator returns null the entry is deleted and a row with a null
 * value (a tombstone) is emitted; the next record starts again. State moves with the commits of the stage: a restart goes
 * on where the last commit was.
 *
 * @param aggregation - One aggregator, or several by name that share one store.
 * @param options - `store` is required.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
 * @see {@link windowBy} for aggregates per event-time window, `asTable` to look into the rows.
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
 * const totals = topic('totals', { key: string(), value: json<{ orders: number; total: number }>() });
 * const driver = new TestDriver(
 *   orders.pipe(
 *     aggregate({ orders: agg.count(), total: agg.sum((order) => order.total) }, { store: 'totals' }),
 *     to(totals),
 *   ),
 * );
 * for (const total of [12, 30]) driver.pipe(orders, { key: 'ada', value: { total } });
 * console.log(driver.read(totals).at(-1)?.value);
 * // => { orders: 2, total: 42 }
 * ```
 * @public
 */
export function aggregate<K, V, A, R, S extends Spec<V>, D extends null = never>(
  aggregation: Aggregator<V, A, R, D> | S,
  options: AggregateOptions,
): OperatorFunction<
  StreamRecord<K | null, V | null>,
  Change<K, AggregationResult<V, R, S>, AggregationDeletes<V, D, S>>
> {
  type Row = AggregationResult<V, R, S>;
  type Out = Change<K, Row, AggregationDeletes<V, D, S>>;
  const aggregator = toAggregator<V, A, R, S>(aggregation);
  checkNames('aggregate', options ?? {}, { store: true });
  const name = checkStoreName(options?.store, 'aggregate');
  return (source) => {
    const rows = new KeptRows<K, Row>();
    return node<StreamRecord<K | null, V | null>, Out>([source], {
      name: 'aggregate',
      detail: name,
      needsKey: true,
      stores: [aggregateStore(name, aggregator)],
      rows,
      create: (step) => aggregating<K, V, Row, Out>(step, name, aggregator, rows),
    });
  };
}
