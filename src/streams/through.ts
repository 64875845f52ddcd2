import type { Observable, OperatorFunction } from 'rxjs';
import { Stream, subscribeSilently } from '../dataflow/stream.ts';
import { targetUse } from '../dataflow/target.ts';
import { refuseTimestamps } from '../options/timestamps.ts';
import type { PlacementOf, StreamRecord } from '../record.ts';
import { sink } from '../sinks/sink.ts';
import type { Topic } from './topic.ts';

/**
 * Sends records through a topic and continues with the records read from it: the shuffle, as a visible line of the
 * pipeline. One stage ends here and another begins, in which each record is in the partition that its key belongs to.
 *
 * Records are written in batches, and the next stage sees them once the first stage has committed. A record with a null
 * key is dropped and counted, unless the topic's key serde is `nullable(…)`.
 *
 * @param topic - Created if missing. Unless it states a number of partitions, it gets as many as the source of the
 * stage that writes it. A topic that is created here without a retention setting belongs to the application alone: its
 * records are kept until they have been read, and removed soon afterwards.
 *
 * @example
 * ```ts
 * import { agg, aggregate, json, keyBy, string, through, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const sales = topic('sales', { key: string(), value: json<{ shop: string; price: number }>() });
 * const byShop = topic('sales-by-shop', { key: string(), value: json<{ shop: string; price: number }>() });
 * const totals = topic('totals', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   sales.pipe(
 *     keyBy((sale) => sale.shop),
 *     through(byShop),
 *     aggregate(agg.sum((sale) => sale.price), { store: 'totals' }),
 *     to(totals),
 *   ),
 *   { partitions: 3 },
 * );
 * driver.pipeAll(sales, [1, 2, 3].map((price) => ({ key: `customer-${price}`, value: { shop: 'north', price } })));
 * console.log(driver.read(totals).at(-1)?.value);
 * // => 6
 * ```
 * @public
 */
export function through<K, V>(
  topic: Topic<K, V>,
): OperatorFunction<StreamRecord<K | null, V, unknown>, StreamRecord<K, V, PlacementOf<K>>> {
  const use = targetUse('through(…)', topic);
  refuseTimestamps(
    `the topic ${use.name} of through(…)`,
    use,
    'a shuffle keeps the timestamps of records: give them with the source, or by mapTimestamp(…)',
  );
  return (source: Observable<StreamRecord<K | null, V, unknown>>) => {
    const written = sink(source, { name: 'through', topics: [topic.use], pick: undefined, dropNullKeys: true });
    return new Stream<StreamRecord<K, V, PlacementOf<K>>>({
      kind: 'through',
      traits: { keepsTime: true },
      name: 'through',
      detail: topic.name,
      inputs: [topic],
      roots: [written],
      discover: () => subscribeSilently(topic),
      attach: (subscriber) => void topic.subscribe(subscriber),
    });
  };
}
