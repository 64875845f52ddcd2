import { ConfigError } from '../errors.ts';
import { show } from '../options/option-checks.ts';
import { Table } from './table.ts';

/**
 * What a verb of tables is applied to.
 *
 * @throws ConfigError `ERR_OPTION` for a stream and all else that is not a table.
 */
export function givenTable<K, V>(verb: string, table: Table<K, V>): Table<K, V> {
  if (table instanceof Table) return table;
  throw new ConfigError('ERR_OPTION', `${verb}(…) was given ${show(table)} instead of a table`, {
    hint: "make a table of a stream first: asTable(stream, { store: 'newest' }), or declare the topic as one: table('users', …)",
  });
}
