import type { OperatorFunction } from 'rxjs';
import { agg } from '../aggregators/index.ts';
import type { Duration } from '../options/duration.ts';
import type { Change, StreamRecord } from '../record.ts';
import { type AggregateOptions, aggregateAs } from './aggregate.ts';
import type { Expires } from './row-expiry.ts';

/**
 * Counts the records of each key: `aggregate(agg.count(), options)`.
 *
 * ```text
 * countByKey({ store: 'clicks' })
 *
 * source  --a:x----b:y----a:z--------|
 * result  --a:1----b:1----a:2 was 1--|
 * ```
 *
 * @example
 * ```ts
 * import { countByKey, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: string() });
 * const counts = topic('counts', { key: string(), value: json<number>() });
 * const driver = new TestDriver(clicks.pipe(countByKey({ store: 'clicks-per-user' }), to(counts)));
 * for (const key of ['ada', 'bob', 'ada']) driver.pipe(clicks, { key, value: '/home' });
 * console.log(driver.read(counts).map(({ key, value }) => `${key} ${value}`).join(', '));
 * // => ada 1, bob 1, ada 2
 * ```
 * @public
 */
export function countByKey<K, V, T extends Duration | undefined = undefined>(
  options: AggregateOptions<T>,
): OperatorFunction<StreamRecord<K | null, V | null>, Change<K, number, Expires<T>>> {
  return aggregateAs('countByKey', agg.count(), options);
}
