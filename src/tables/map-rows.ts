import { checkNames } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import { givenTable } from './given-table.ts';
import type { Table } from './table.ts';
import { type ViewOptions, view } from './view.ts';

/**
 * Maps the rows of a table; keys stay the same.
 *
 * ```text
 * mapRows((n) => n * 10)
 *
 * table    a = 1     a = 2             a deleted
 * result  --a:10-----a:20 was 10-------a:null was 20--|
 * ```
 *
 * By default nothing is stored: the function is called for the new row, the old one, and at each look-up, so it must
 * depend only on its arguments. It is not called for deletions. If it returns null or throws, the row is not in the
 * result; a failure goes to the record policy.
 *
 * @param project - Returns the new row. Called with the row and its key.
 * @param options - `store` keeps the rows in a store: to read them from outside, or because the function is slow.
 * Choose a new name when the function changes.
 * @throws ConfigError `ERR_ASYNC_FUNCTION`, `ERR_OPTION`, `ERR_STORE_NAME`.
 *
 * @example
 * ```ts
 * import { joinTable, json, mapRows, string, table, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const users = table('users', { key: string(), value: json<{ first: string; last: string }>() });
 * const names = users.pipe(mapRows((user) => `${user.first} ${user.last}`));
 * const clicks = topic('clicks', { key: string(), value: string() });
 * const named = topic('named', { key: string(), value: string() });
 * const driver = new TestDriver(clicks.pipe(joinTable(names, (url, name) => `${name}: ${url}`), to(named)));
 * driver.pipe(users, { key: 'ada', value: { first: 'Ada', last: 'Lovelace' } });
 * driver.pipe(clicks, { key: 'ada', value: '/home' });
 * console.log(driver.read(named)[0]?.value);
 * // => Ada Lovelace: /home
 * ```
 * @public
 */
export function mapRows<K, V, W>(
  project: (row: NonNullable<V>, key: NonNullable<K>) => W,
  options: ViewOptions<NonNullable<W>> = {},
): (table: Table<K, V>) => Table<K, NonNullable<W>> {
  checkWork('mapRows', project, 'mapRows((user) => user.name)');
  checkNames('mapRows', options, { store: true, value: true });
  return (table) => view(givenTable('mapRows', table), 'mapRows', project, options);
}
