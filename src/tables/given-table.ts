import { ConfigError } from '../errors.ts';
import { show } from '../options/option-checks.ts';
import { Table } from './table.ts';

/**
 * Checks that a verb for tables is applied to a table.
 *
 * @throws ConfigError `ERR_OPTION` for a stream, or anything else that is not a table.
 */
export function givenTable<K, V>(verb: string, table: Table<K, V>): Table<K, V> {
  if (table instanceof Table) return table;
  throw new ConfigError('ERR_OPTION', `${verb}(…) was given ${show(table)} instead of a table`, {
    hint: "make a table from the stream first: asTable(stream, { store: 'newest' }), or declare the topic as one: table('users', …)",
  });
}
