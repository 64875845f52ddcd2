import type { OperatorFunction } from 'rxjs';
import { agg } from '../aggregators/index.ts';
import type { Duration } from '../options/duration.ts';
import type { Change, StreamRecord } from '../record.ts';
import { type AggregateOptions, aggregateAs } from './aggregate.ts';
import type { Expires } from './row-expiry.ts';

/**
 * Folds the values of each key into one: `aggregate(agg.reduce(fold), options)`. The first value is the initial result.
 *
 * ```text
 * reduceByKey((left, right) => left + right, { store: 'texts' })
 *
 * source  --a:x----b:y----a:z----------|
 * result  --a:x----b:y----a:xz was x---|
 * ```
 *
 * @example
 * ```ts
 * import { json, reduceByKey, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const bids = topic('bids', { key: string(), value: json<number>() });
 * const highest = topic('highest', { key: string(), value: json<number>() });
 * const driver = new TestDriver(bids.pipe(reduceByKey((left, right) => Math.max(left, right), { store: 'bids' }), to(highest)));
 * for (const value of [3, 7, 5]) driver.pipe(bids, { key: 'clock', value });
 * console.log(driver.read(highest).map((bid) => bid.value).join());
 * // => 3,7,7
 * ```
 * @public
 */
export function reduceByKey<K, V, T extends Duration | undefined = undefined>(
  fold: (left: V, right: V) => V,
  options: AggregateOptions<T>,
): OperatorFunction<StreamRecord<K | null, V | null>, Change<K, V, Expires<T>>> {
  return aggregateAs('reduceByKey', agg.reduce(fold), options);
}
