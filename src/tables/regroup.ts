import type { Aggregator, Spec } from '../aggregators/aggregator.ts';
import { targetUse } from '../dataflow/target.ts';
import { ConfigError } from '../errors.ts';
import type { AggregateOptions } from '../operators/aggregate.ts';
import { type AggregationResult, toAggregator } from '../operators/aggregation.ts';
import { checkStoreName } from '../operators/keyed.ts';
import { checkNames } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { Topic } from '../streams/topic.ts';
import { givenTable } from './given-table.ts';
import { groupsOf } from './groups-of.ts';
import { halvesOf } from './halves-of.ts';
import type { Table } from './table.ts';

/**
 * Aggregates the rows of a table by group. The result is a table with one row per group.
 *
 * ```text
 * orders.pipe(regroup((order) => order.region, byRegion, agg.sum((order) => order.total), { store: 'revenue' }))
 *
 * orders  --1:{north,5}---2:{north,7}----1:{north,6}----2:{south,7}------------1:null-----|
 * result  --north:5-------north:12-------north:13-------north:6-south:7--------north:0----|
 * ```
 *
 * A changed row is first removed from the aggregate of its old group (`remove` of the aggregator) and then added to
 * that of its new group. Within one group this is a single change, so nobody sees half of it. Between two groups there
 * are two changes, the old group's first; if the groups are in different partitions, the order is undefined.
 *
 * Rows travel to their groups through `topic`, as with `through`: one stage ends here and another begins. The value of
 * a record in it is the row that the group gains (null for none), and the header `millrace.removed` is the row that the
 * group loses. Only this step may write the topic.
 *
 * The timestamp of a row is the highest timestamp of the changes to its group. A row without a group (null) counts
 * nowhere, nor does a row for which `select` fails; the failure goes to the record policy. If the aggregator returns
 * null, the group's row is deleted, and the next change starts from the initial state. For a table with history only
 * the newest rows count.
 *
 * @param select - Returns the group of a row, which is its new key. It must depend only on its arguments, because it is
 * called again for a row that leaves.
 * @param topic - How groups and rows are written; created if missing.
 * @param aggregation - One aggregator, or several by name, with `remove`: `agg.count`, `agg.sum`, `agg.mean`, and
 * `agg.reduce` and `agg.custom` if `remove` is given.
 * @param options - `store` is required.
 * @throws ConfigError `ERR_AGGREGATION` for an aggregator that cannot remove; `ERR_STORE_NAME`, `ERR_OPTION`; when
 * planned `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`, `ERR_DUPLICATE_SOURCE` if the topic is also read elsewhere.
 *
 * @example
 * ```ts
 * import { agg, json, regroup, string, table, to, topic, toStream } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const order = json<{ region: string; total: number }>();
 * const orders = table('orders', { key: string(), value: order });
 * const byRegion = topic('orders-by-region', { key: string(), value: order });
 * const revenue = topic('revenue', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   orders.pipe(
 *     regroup((row) => row.region, byRegion, agg.sum((row) => row.total), { store: 'revenue' }),
 *     toStream(),
 *     to(revenue),
 *   ),
 * );
 * driver.pipe(orders, { key: '1', value: { region: 'north', total: 5 } });
 * driver.pipe(orders, { key: '2', value: { region: 'north', total: 7 } });
 * driver.pipe(orders, { key: '1', value: { region: 'south', total: 5 } });
 * driver.pipe(orders, { key: '2', value: null });
 * console.log(driver.read(revenue).map(({ key, value }) => `${key} ${value}`).join(', '));
 * // => north 5, north 12, north 7, south 5, north 0
 * ```
 * @public
 */
export function regroup<K, V, G, A, R, S extends Spec<V>, D extends null = never>(
  select: (row: NonNullable<V>, key: NonNullable<K>) => G | null,
  topic: Topic<G, V>,
  aggregation: Aggregator<V, A, R, D> | S,
  options: Pick<AggregateOptions, 'store'>,
): (table: Table<K, V>) => Table<G, AggregationResult<V, R, S>> {
  const name = checkStoreName(options?.store, 'regroup');
  const where = `regroup(${name})`;
  checkNames(where, options, { store: true });
  checkWork(where, select, 'regroup((order) => order.region, byRegion, …)');
  const { key } = targetUse(where, topic);
  if (key === undefined) {
    throw new ConfigError('ERR_SERDE', `${where}: topic ${topic.name} has no key serde`, {
      hint: `the key is the group: topic('${topic.name}', { key: string(), value: json() })`,
    });
  }
  const aggregator = toAggregator<V, A, R, S>(aggregation);
  if (aggregator.remove === undefined) {
    throw new ConfigError('ERR_AGGREGATION', `${where}: ${aggregator.name} cannot remove a row that has changed`, {
      hint: 'give aggregators with `remove`: agg.count(), agg.sum(…), agg.mean(…), agg.reduce(add, { remove }), agg.custom({ …, remove })',
    });
  }
  return (table) => groupsOf(halvesOf(givenTable('regroup', table), select, topic), topic, aggregator, name);
}
