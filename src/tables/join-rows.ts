import { ConfigError } from '../errors.ts';
import { checkNames, checkOneOf, show } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { Serde } from '../serdes/serde.ts';
import { type CombineForeign, ForeignJoin } from './foreign-join.ts';
import { foreignTable } from './foreign-table.ts';
import { givenTable } from './given-table.ts';
import { joinedTable, type PairRows, pairRows } from './joined-table.ts';
import { RowStore } from './row-store.ts';
import { Table } from './table.ts';

/** @public */
export interface JoinRowsOptions<W, T extends 'inner' | 'left' | 'outer' = 'inner' | 'left' | 'outer'> {
  /**
   * Name of the store that keeps the joined rows, unique in a pipeline. Choose a new name when the function changes.
   */
  readonly store: string;
  /**
   * `inner` (default): a key has a row if both tables have one. `left`: if the left table has one, with `null` for a
   * missing right row. `outer`: if either has one, with `null` for the missing one.
   */
  readonly type?: T;
  /** How joined rows are stored (default: MessagePack). */
  readonly value?: Serde<W>;
}

/** How rows find their counterparts in a table with different keys. @public */
export interface JoinForeignOptions<K, L, F, W, T extends 'inner' | 'left' = 'inner' | 'left'>
  extends JoinRowsOptions<W, T> {
  /** Returns the key of the right row that a row belongs to, or null for none. It must depend only on its arguments. */
  readonly key: (row: NonNullable<L>, key: NonNullable<K>) => F | null;
}

/**
 * Joins a table with another one that has the same keys. The result is a table of the combined rows.
 *
 * ```text
 * stock.pipe(joinRows(prices, (pieces, price) => pieces * price, { store: 'worth' }))
 *
 * stock    --tea:2----------------------tea:3---------------------|
 * prices   -----------tea:5------------------------tea:null-------|
 * result   -----------tea:10-----------tea:15------tea:null-------|
 * ```
 *
 * A change in either table recomputes the row of its key; a row equal to the previous one is still emitted as a change.
 * The timestamp of a row is the later of the two. A row that no longer exists is deleted; no deletion is emitted for a
 * row that did not exist. Tables with history are joined by their newest rows: out-of-order records are older versions,
 * which are dropped and counted here.
 *
 * With `key`, a row is joined with the right row whose key it names, in a table with any other keys; the join is inner
 * or left. Rows travel through two internal topics, so of several changes in quick succession only the last one may be
 * visible.
 *
 * Without `key`, both tables must have the same number of partitions, which is checked when the application starts.
 * Joined rows are kept in a store, so a restart continues with them. A row for which the function fails is not in the
 * result; the failure goes to the record policy.
 *
 * @param right - The other table, with keys of the same serde.
 * @param combine - Returns the joined row, given the row of each table and the key; null for no row.
 * @param options - `store` is required.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_ASYNC_FUNCTION`, `ERR_SERDE`; when planned `ERR_KEY_SERDES`,
 * `ERR_DUPLICATE_STORE`.
 *
 * @example
 * ```ts
 * import { joinRows, json, string, table, to, topic, toStream } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const stock = table('stock', { key: string(), value: json<number>() });
 * const prices = table('prices', { key: string(), value: json<number>() });
 * const worth = topic('worth', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   stock.pipe(
 *     joinRows(prices, (pieces, price) => pieces * price, { store: 'worth' }),
 *     toStream(),
 *     to(worth),
 *   ),
 * );
 * driver.pipe(stock, { key: 'tea', value: 2 });
 * driver.pipe(prices, { key: 'tea', value: 5 });
 * driver.pipe(stock, { key: 'tea', value: 3 });
 * driver.pipe(prices, { key: 'tea', value: null });
 * console.log(driver.read(worth).map(({ value }) => value));
 * // => [ 10, 15, null ]
 * ```
 * @public
 */
export function joinRows<K, L, F, R, W, T extends 'inner' | 'left' = 'inner'>(
  right: Table<F, R>,
  combine: (left: NonNullable<L>, right: NonNullable<R> | (T extends 'left' ? null : never), key: NonNullable<K>) => W,
  options: JoinForeignOptions<K, L, F, NonNullable<W>, T>,
): (left: Table<K, L>) => Table<K, NonNullable<W>>;
/** @public */
export function joinRows<K, L, R, W>(
  right: Table<K, R>,
  combine: (left: NonNullable<L> | null, right: NonNullable<R> | null, key: NonNullable<K>) => W,
  options: JoinRowsOptions<NonNullable<W>, 'outer'> & { readonly type: 'outer' },
): (left: Table<K, L>) => Table<K, NonNullable<W>>;
/** @public */
export function joinRows<K, L, R, W>(
  right: Table<K, R>,
  combine: (left: NonNullable<L>, right: NonNullable<R> | null, key: NonNullable<K>) => W,
  options: JoinRowsOptions<NonNullable<W>, 'left'> & { readonly type: 'left' },
): (left: Table<K, L>) => Table<K, NonNullable<W>>;
/** @public */
// If no overload matches, the compiler explains the last one, so the most common one comes last.
export function joinRows<K, L, R, W>(
  right: Table<K, R>,
  combine: (left: NonNullable<L>, right: NonNullable<R>, key: NonNullable<K>) => W,
  options: JoinRowsOptions<NonNullable<W>, 'inner'>,
): (left: Table<K, L>) => Table<K, NonNullable<W>>;
export function joinRows<K, L, F, R, W>(
  right: Table<K, R> | Table<F, R>,
  combine: (left: NonNullable<L>, right: NonNullable<R>, key: NonNullable<K>) => W,
  options: JoinRowsOptions<NonNullable<W>> & Partial<Pick<JoinForeignOptions<K, L, F, NonNullable<W>>, 'key'>>,
): (left: Table<K, L>) => Table<K, NonNullable<W>> {
  checkRight(right);
  const own = new RowStore<K, NonNullable<W>>('joinRows', options?.store, options?.value);
  const where = `joinRows(${own.name})`;
  checkNames(where, options, { store: true, type: true, value: true, key: true });
  checkWork(where, combine, "joinRows(prices, (pieces, price) => pieces * price, { store: 'worth' })");
  const { key: keyOf, type = 'inner', value } = options;
  checkOneOf(where, 'type', type, keyOf === undefined ? ['inner', 'left', 'outer'] : ['inner', 'left']);
  if (keyOf === undefined) {
    const make = pairRows(combine as PairRows<K, L, R, W>, type);
    return (left) => joinedTable(givenTable('joinRows', left), right as Table<K, R>, make, own);
  }
  checkWork(`${where}: key`, keyOf, '{ key: (order) => order.customer }');
  return (left) => {
    const rows = { name: own.name, isLeft: type === 'left', value };
    givenTable('joinRows', left);
    const join = new ForeignJoin(left, right as Table<F, R>, keyOf, combine as CombineForeign<K, L, R, W>, rows);
    return foreignTable(left, right as Table<F, R>, join, own);
  };
}

/** @throws ConfigError `ERR_OPTION` for anything but a table, such as a topic. */
function checkRight(right: unknown): void {
  if (right instanceof Table) return;
  throw new ConfigError('ERR_OPTION', `joinRows(…) was given ${show(right)} instead of a table`, {
    hint: "join with a table: table('prices', { key: string(), value: json() }), or asTable(…)",
  });
}
