import type { Observable, OperatorFunction } from 'rxjs';
import { Stream, subscribeSilently } from '../dataflow/stream.ts';
import { targetUse } from '../dataflow/target.ts';
import { refuseTimestamps } from '../options/timestamps.ts';
import type { PlacementOf, StreamRecord } from '../record.ts';
import { sink } from '../sinks/sink.ts';
import type { Topic } from './topic.ts';

/**
 * Sends records through a topic and goes on with what is read from it: the shuffle, as a line you can see. A stage ends
 * here and another one begins, in which records lie in the partition that their key belongs to.
 *
 * Records are written in batches; the next stage sees them when the first stage has committed. A record whose key is null
 * is dropped and counted, unless the topic's key serde is `nullable(…)`.
 *
 * @param topic - Created when it is missing, with as many partitions as the source of the stage that writes it, unless it
 * names a number itself. A topic that is created here, and says nothing of how long it keeps records, is for the application
 * alone: none of its records is removed before it was read, and none stays long after that.
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
