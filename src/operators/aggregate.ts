import type { OperatorFunction } from 'rxjs';
import type { Aggregator, Spec } from '../aggregators/aggregator.ts';
import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import type { Duration } from '../options/duration.ts';
import { checkNames } from '../options/option-checks.ts';
import type { Change, StreamRecord } from '../record.ts';
import { aggregateStores, aggregating } from './aggregating.ts';
import { type AggregationDeletes, type AggregationResult, toAggregator } from './aggregation.ts';
import { checkStoreName } from './keyed.ts';
import { type Expires, ttlOf } from './row-expiry.ts';

/** @public */
export interface AggregateOptions<T extends Duration | undefined = Duration | undefined> {
  /** Name of the state store, unique in a pipeline. It identifies the state: keep it when the pipeline changes. */
  readonly store: string;
  /** How long a row lives after the last record of its key, in event time (default: for ever). */
  readonly ttl?: T;
}

/**
 * Keeps a running aggregate per key and emits it after each record.
 *
 * ```text
 * aggregate(agg.sum((n) => n), { store: 'totals' })
 *
 * source  --a:1----b:5----a:2--------|
 * result  --a:1----b:5----a:3 was 1--|
 * ```
 *
 * It emits changes of rows: `before` is the previous row of the key.
 *
 * Records are applied in order of arrival, including late ones; the timestamp of a row is the highest of its key's
 * records. Null keys and null values are dropped and counted. If the aggregator returns null, the entry is deleted and
 * a row with a null value (a tombstone) is emitted; the next record starts from the initial state. State is committed
 * with its stage: a restart continues from the last commit.
 *
 * With `ttl` a row expires that long after its timestamp. What counts is stream time: the highest timestamp of the
 * records that reach the step and of those that look its rows up. A deletion with the time of its end is then emitted;
 * the next record of the key starts from the initial state.
 *
 * ```text
 * aggregate(agg.count(), { store: 'visits', ttl: '1h' })
 *
 * source  --a(0m)---a(30m)------b(1h)--------------------b(1h30m)-------------|
 * result  --a:1-----a:2 was 1---b:1----a:null was 2(1h30m)--b:2 was 1---------|
 * ```
 *
 * If a key has no row, a record so late that its row would already have expired is dropped and counted.
 *
 * @param aggregation - One aggregator, or several by name that share one store.
 * @param options - `store` is required. With `ttl` there is a second store, with the suffix `-ttl`.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
 * @see {@link windowBy} for aggregates per event-time window, `asTable` to look the rows up.
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
export function aggregate<
  K,
  V,
  A,
  R,
  S extends Spec<V>,
  D extends null = never,
  T extends Duration | undefined = undefined,
>(
  aggregation: Aggregator<V, A, R, D> | S,
  options: AggregateOptions<T>,
): OperatorFunction<
  StreamRecord<K | null, V | null>,
  Change<K, AggregationResult<V, R, S>, AggregationDeletes<V, D, S> | Expires<T>>
> {
  return aggregateAs('aggregate', aggregation, options);
}

/** As {@link aggregate}, for an operator that messages and pictures are to call by another name. */
export function aggregateAs<
  K,
  V,
  A,
  R,
  S extends Spec<V>,
  D extends null = never,
  T extends Duration | undefined = undefined,
>(
  operator: string,
  aggregation: Aggregator<V, A, R, D> | S,
  options: AggregateOptions<T>,
): OperatorFunction<
  StreamRecord<K | null, V | null>,
  Change<K, AggregationResult<V, R, S>, AggregationDeletes<V, D, S> | Expires<T>>
> {
  type Row = AggregationResult<V, R, S>;
  type Out = Change<K, Row, AggregationDeletes<V, D, S> | Expires<T>>;
  const aggregator = toAggregator<V, A, R, S>(aggregation);
  checkNames(operator, options ?? {}, { store: true, ttl: true });
  const name = checkStoreName(options?.store, operator);
  const ttlMs = ttlOf(`${operator}(${name})`, options.ttl);
  return (source) => {
    const rows = new KeptRows<K, Row>();
    return node<StreamRecord<K | null, V | null>, Out>([source], {
      name: operator,
      keepsTime: true,
      waits: ttlMs !== undefined,
      detail: name,
      needsKey: true,
      stores: aggregateStores(name, aggregator, ttlMs),
      rows,
      create(step) {
        const { take, ...rest } = aggregating<K, V, Row, Out>(step, name, aggregator, rows, ttlMs);
        return { take: [take], ...rest };
      },
    });
  };
}
