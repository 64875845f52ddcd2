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
  /** Name of the store that keeps the joined rows; unique in a pipeline. Give it another name when the function changes. */
  readonly store: string;
  /**
   * `inner` (default): a key has a row where both tables have one. `left`: where the left table has one, with `null` for a
   * row that the right one lacks. `outer`: where either has one, with `null` for the other.
   */
  readonly type?: T;
  /** How joined rows are written; as MessagePack when left out. */
  readonly value?: Serde<W>;
}

/** How rows find their row in a table with other keys. @public */
export interface JoinForeignOptions<K, L, F, W, T extends 'inner' | 'left' = 'inner' | 'left'>
  extends JoinRowsOptions<W, T> {
  /** The key of the right row that belongs to a row; null for none. It depends on its arguments alone. */
  readonly key: (row: NonNullable<L>, key: NonNullable<K>) => F | null;
}

/**
 * Joins a table with another one that has the same keys: a table of the rows that they make together.
 *
 * ```text
 * stock.pipe(joinRows(prices, (pieces, price) => pieces * price, { store: 'worth' }))
 *
 * stock    --tea:2----------------------tea:3---------------------|
 * prices   -----------tea:5------------------------tea:null-------|
 * result   -----------tea:10-----------tea:15------tea:null-------|
 * ```
 *
 * A change of either table makes the row of its key anew; equal rows are changes too. The timestamp of a row is the later one
 * of both. A row that is there no more is deleted; one that was not there is not deleted again. Tables with history are
 * joined by their newest rows: out-of-order records are older versions, which are dropped and counted here.
 *
 * With `key` a row is joined with the right row whose key it names, in a table of any other keys: inner or left. Rows travel
 * through two topics of the application for that, so of several changes in a short time only the last one may be seen.
 *
 * Without it both tables have the same number of partitions, checked when the application starts. Joined rows are kept in a store, so a
 * restart goes on with them. A row for which the function fails is not in the result; the failure goes to the record policy.
 *
 * @param right - The other table, with keys of the same serde.
 * @param combine - The row, of the row of each table and the key; null for none.
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
// The compiler explains the last overload when none fits, so the most common one stands last.
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

/** @throws ConfigError `ERR_OPTION` for what is not a table, such as a topic. */
function checkRight(right: unknown): void {
  if (right instanceof Table) return;
  throw new ConfigError('ERR_OPTION', `joinRows(…) was given ${show(right)} instead of a table`, {
    hint: "join with a table: table('prices', { key: string(), value: json() }), or asTable(…)",
  });
}
