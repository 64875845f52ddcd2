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
 * Aggregates the rows of a table by group: a table with one row for each group.
 *
 * ```text
 * orders.pipe(regroup((order) => order.region, byRegion, agg.sum((order) => order.total), { store: 'revenue' }))
 *
 * orders  --1:{north,5}---2:{north,7}----1:{north,6}----2:{south,7}------------1:null-----|
 * result  --north:5-------north:12-------north:13-------north:6-south:7--------north:0----|
 * ```
 *
 * A row that changes is first taken out of the aggregate of its old group (`remove` of the aggregator) and then added to that
 * of its new one. In one group that is one change, so no one sees a half of it. Between two groups it is two, the old group's
 * first; where these lie in different partitions, their order is not fixed.
 *
 * Rows go to their groups through `topic`, as in `through`: a stage ends here and another one begins. A record of it has the
 * row that the group gains as value, null for none, and the one that it loses in the header `millrace.removed`. It is
 * written by this step alone.
 *
 * The timestamp of a row is the highest one of the changes of its group. A row without a group (null) counts for none; one
 * for which `select` fails does neither, and the failure goes to the record policy. When the aggregator returns null the row
 * of the group is deleted, and the next one starts again. Of a table with history only the newest rows count.
 *
 * @param select - The group of a row: its new key. It depends on its arguments alone, for it is asked again about the row
 * that goes.
 * @param topic - How groups and rows are written; created when it is missing.
 * @param aggregation - One aggregator, or several by name, that can `remove`: `agg.count`, `agg.sum`, `agg.mean`, and
 * `agg.reduce` and `agg.custom` where `remove` is given.
 * @param options - `store` is required.
 * @throws ConfigError `ERR_AGGREGATION` for an aggregator that cannot remove; `ERR_STORE_NAME`, `ERR_OPTION`; when planned
 * `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`, `ERR_DUPLICATE_SOURCE` where the topic is read elsewhere too.
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
