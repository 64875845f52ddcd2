import type { Observable } from 'rxjs';
import type { Change } from '../record.ts';
import { givenTable } from './given-table.ts';
import type { Table } from './table.ts';

/**
 * The changes of a table as a stream of records: the value is the new row, or `null` if the row was deleted, and
 * `before` is the old row. Operators for streams can follow in the same `pipe`.
 *
 * ```text
 * table    a = 1          a = 2             a deleted
 * result  --a:1-----------a:2 was 1---------a:null was 2--|
 * ```
 *
 * The stream starts with the next change; rows that existed before the application first ran this step are not emitted.
 * It keeps no state of its own: a restart repeats nothing.
 *
 * @example
 * ```ts
 * import { json, string, table, to, topic, toStream } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const prices = table('prices', { key: string(), value: json<number>() });
 * const news = topic('news', { key: string(), value: json<number>() });
 * const driver = new TestDriver(prices.pipe(toStream(), to(news)));
 * driver.pipe(prices, { key: 'tea', value: 3 });
 * driver.pipe(prices, { key: 'tea', value: null });
 * driver.pipe(prices, { key: 'tea', value: null }); // there is nothing left to delete
 * console.log(driver.read(news).map(({ key, value }) => `${key} ${value}`).join(', '));
 * // => tea 3, tea null
 * ```
 * @public
 */
export function toStream<K, V>(): (table: Table<K, V>) => Observable<Change<K, V>> {
  return (table) => givenTable('toStream', table).changes;
}
