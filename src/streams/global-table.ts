import type { GlobalSource } from '../dataflow/global-source.ts';
import type { TopicUse } from '../dataflow/node.ts';
import { refuseTimestamps } from '../options/timestamps.ts';
import type { Serde } from '../serdes/serde.ts';
import { type TopicOptions, topicUse } from './topic.ts';

/** How to read the records of a global table's topic. @public */
export interface GlobalTableOptions<K, V> extends Omit<TopicOptions<K, V>, 'timestamp' | 'onInvalidTimestamp'> {
  readonly key: Serde<K>;
}

/**
 * A table that every process holds in full: the newest value of each key, over all partitions of a topic.
 *
 * @public
 */
export class GlobalTable<K, V> implements GlobalSource<K, V> {
  readonly name: string;
  readonly global = true;
  readonly key: Serde<K>;
  readonly value: Serde<V>;
  /** @internal */
  readonly use: TopicUse;

  /** @internal */
  constructor(name: string, options: GlobalTableOptions<K, V>) {
    refuseTimestamps(`globalTable ${name}`, options ?? {}, 'a global table lies outside of time: leave it out');
    this.name = name;
    this.key = options.key;
    this.value = options.value;
    this.use = { ...topicUse('globalTable', name, options), config: { cleanup: 'compact', ...options.config } };
  }
}

/**
 * Makes a global table from a topic, for rows that every task needs: products, rates, regions.
 *
 * Each process reads the whole topic before it processes its first record, and follows it from then on, independently
 * of stream time: the next record sees a change, whatever its timestamp. So a global table needs no common key with the
 * stream, no shuffle and no matching number of partitions, but replaying the stream may see newer rows. The rows are
 * held in memory and read again at each start. A null value deletes the row; a record without a key is dropped and
 * counted.
 *
 * A record that cannot be decoded stops the application, unless the policy of the topic or of the application says
 * otherwise. Because each start of each process reads the topic again, it meets such a record again, and `deadLetter`
 * writes another letter about it.
 *
 * @param name - The topic, usually compacted and small.
 * @param options - Serdes; both are required.
 * @see {@link joinTable} to look rows up, {@link table} for a table that is partitioned among tasks.
 *
 * @example
 * ```ts
 * import { globalTable, joinTable, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const products = globalTable('products', { key: string(), value: json<{ price: number }>() });
 * const orders = topic('orders', { value: json<{ product: string; pieces: number }>() });
 * const totals = topic('totals', { value: json<number>() });
 * const driver = new TestDriver(
 *   orders.pipe(
 *     joinTable(products, (order, { price }) => order.pieces * price, { key: (order) => order.product }),
 *     to(totals),
 *   ),
 * );
 * driver.pipe(products, { key: 'tea', value: { price: 3 } });
 * driver.pipe(orders, { value: { product: 'tea', pieces: 4 } });
 * console.log(driver.read(totals)[0]?.value);
 * // => 12
 * ```
 * @public
 */
export function globalTable<V, K>(name: string, options: GlobalTableOptions<K, V>): GlobalTable<K, V> {
  return new GlobalTable(name, options);
}
