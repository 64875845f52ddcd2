import { checkNames } from '../options/option-checks.ts';
import { checkWork, settled } from '../options/promises.ts';
import { givenTable } from './given-table.ts';
import type { Table } from './table.ts';
import { type ViewOptions, view } from './view.ts';

/**
 * The rows of a table that satisfy a predicate, as a table.
 *
 * ```text
 * filterRows((n) => n > 1)
 *
 * table    a = 1     a = 2       a = 1            a deleted
 * result  ----------a:2---------a:null was 2-----------------|
 * ```
 *
 * A row that no longer passes is deleted; no deletion is emitted for a row that was not in the result. By default
 * nothing is stored: the predicate is called for the new row, the old one, and at each look-up, so it must depend only
 * on its arguments. It is not called for deletions. If it throws, the row does not pass, and the failure goes to the
 * record policy.
 *
 * @param predicate - Called with the row and its key. A type guard narrows the rows.
 * @param options - `store` keeps the rows in a store: to read them from outside, or because the predicate is slow.
 * @throws ConfigError `ERR_ASYNC_FUNCTION`, `ERR_OPTION`, `ERR_STORE_NAME`.
 *
 * @example
 * ```ts
 * import { filterRows, json, string, table, to, topic, toStream } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const stock = table('stock', { key: string(), value: json<number>() });
 * const scarce = topic('scarce', { key: string(), value: json<number>() });
 * const driver = new TestDriver(stock.pipe(filterRows((pieces) => pieces < 3), toStream(), to(scarce)));
 * for (const value of [5, 2, 1, 9]) driver.pipe(stock, { key: 'tea', value });
 * console.log(driver.read(scarce).map((row) => row.value));
 * // => [ 2, 1, null ]
 * ```
 * @public
 */
export function filterRows<K, V, U extends V>(
  predicate: (row: NonNullable<V>, key: NonNullable<K>) => row is NonNullable<U>,
  options?: ViewOptions<NonNullable<U>>,
): (table: Table<K, V>) => Table<K, NonNullable<U>>;
/** @public */
export function filterRows<K, V>(
  predicate: (row: NonNullable<V>, key: NonNullable<K>) => boolean,
  options?: ViewOptions<NonNullable<V>>,
): (table: Table<K, V>) => Table<K, NonNullable<V>>;
export function filterRows<K, V>(
  predicate: (row: NonNullable<V>, key: NonNullable<K>) => boolean,
  options: ViewOptions<NonNullable<V>> = {},
): (table: Table<K, V>) => Table<K, NonNullable<V>> {
  checkWork('filterRows', predicate, 'filterRows((user) => user.active)');
  checkNames('filterRows', options, { store: true, value: true });
  const keep = (row: NonNullable<V>, key: NonNullable<K>): NonNullable<V> | null =>
    settled(predicate(row, key)) ? row : null;
  return (table) => view(givenTable('filterRows', table), 'filterRows', keep, options);
}
