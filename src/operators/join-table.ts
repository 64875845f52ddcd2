import type { Observable, OperatorFunction } from 'rxjs';
import type { GlobalSource } from '../dataflow/global-source.ts';
import { node } from '../dataflow/operator.ts';
import type { Rows, TableSource } from '../dataflow/table-source.ts';
import { ConfigError } from '../errors.ts';
import { checkNames, checkOneOf, show } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { StreamRecord } from '../record.ts';
import { withValue } from './derive.ts';
import { joinGlobal } from './join-global.ts';
import type { AnyRecord, WithValue } from './record-types.ts';

/** @public */
export interface JoinTableOptions<T extends 'inner' | 'left' = 'inner' | 'left'> {
  /**
   * `inner` (default): a record without a row gives nothing. `left`: it is combined with `null`.
   */
  readonly type?: T;
}

/** How records find their row in a global table. @public */
export interface JoinGlobalOptions<K, R extends AnyRecord, T extends 'inner' | 'left' = 'inner' | 'left'>
  extends JoinTableOptions<T> {
  /** The key of the row that belongs to a record; `null` for none. */
  readonly key: (value: NonNullable<R['value']>, record: R) => K | null;
}

/**
 * Combines each record with the row of its key in a table.
 *
 * ```text
 * joinTable(users, (click, user) => `${user.name}: ${click}`)
 *
 * users   --ada:{Ada}---------------------
 * source  -------------ada:x----bob:y--|
 * result  -------------ada:'Ada: x'----|
 * ```
 *
 * Only records of the stream trigger; a change of the table affects records that come after it. The task takes the record
 * with the lowest timestamp among its topics first, so a row is seen by the records that are not older than it, as far
 * as both topics have data. Stream and table have the same number of partitions, checked when the application starts.
 *
 * A global table has no such rules of place and time: the row is found by `options.key`, the record may have any key and lie
 * anywhere, and the newest row counts.
 *
 * A null key is dropped and counted by an inner join and combined with `null` by a left join; a null value is dropped and
 * counted. The table's rows survive a restart with the commits of the stage.
 *
 * @param right - The table, keyed as the stream is.
 * @param combine - The new value, from the record's value, the row, and the whole record (for its window, timestamp, …).
 * @returns Records with the same key, timestamp and window.
 * @throws ConfigError `ERR_OPTION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_KEY_SERDES`.
 *
 * @example
 * ```ts
 * import { joinTable, json, string, table, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const users = table('users', { key: string(), value: json<{ name: string }>() });
 * const clicks = topic('clicks', { key: string(), value: string() });
 * const named = topic('named', { key: string(), value: string() });
 * const driver = new TestDriver(clicks.pipe(joinTable(users, (url, user) => `${user.name}: ${url}`), to(named)));
 * driver.pipe(users, { key: 'ada', value: { name: 'Ada' } });
 * driver.pipe(clicks, { key: 'ada', value: '/home' });
 * driver.pipe(clicks, { key: 'bob', value: '/home' }); // no row: nothing comes of it
 * console.log(driver.read(named).map((record) => record.value).join());
 * // => Ada: /home
 * ```
 * @public
 */
export function joinTable<K, U, R extends StreamRecord<K | null, unknown>, W>(
  right: TableSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U>, record: R) => W,
  options?: JoinTableOptions<'inner'>,
): OperatorFunction<R, WithValue<R, W>>;
/** @public */
export function joinTable<K, U, R extends StreamRecord<K | null, unknown>, W>(
  right: TableSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U> | null, record: R) => W,
  options: JoinTableOptions<'left'>,
): OperatorFunction<R, WithValue<R, W>>;
/** @public */
export function joinTable<K, U, R extends AnyRecord, W>(
  right: GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U>, record: R) => W,
  options: JoinGlobalOptions<K, R, 'inner'>,
): OperatorFunction<R, WithValue<R, W>>;
/** @public */
export function joinTable<K, U, R extends AnyRecord, W>(
  right: GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U> | null, record: R) => W,
  options: JoinGlobalOptions<K, R, 'left'>,
): OperatorFunction<R, WithValue<R, W>>;
export function joinTable<K, U, R extends AnyRecord, W>(
  right: TableSource<K, U> | GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U>, record: R) => W,
  options: JoinTableOptions & Partial<JoinGlobalOptions<K, R>> = {},
): OperatorFunction<R, WithValue<R, W>> {
  const join = combine as (value: NonNullable<R['value']>, row: NonNullable<U> | null, record: R) => W;
  checkTable(right);
  const where = `joinTable(${right.name})`;
  checkNames(where, options, 'global' in right ? { type: true, key: true } : { type: true });
  checkWork(where, combine, 'joinTable(users, (order, user) => ({ ...order, user }))');
  checkOneOf(where, 'type', options.type, ['inner', 'left']);
  const left = options.type === 'left';
  if ('global' in right) {
    if (options.key !== undefined) return joinGlobal(right, join, options.key, left);
    throw new ConfigError('ERR_OPTION', `${where}: a global table is joined without a key`, {
      hint: 'say which row belongs to a record: joinTable(products, combine, { key: (order) => order.productId })',
    });
  }
  return (source: Observable<R>) =>
    // The table comes first: a row is there before the record of the same moment looks for it.
    node<never, WithValue<R, W>>([right.updates, source], {
      name: 'joinTable',
      detail: right.name,
      needsKey: true,
      guard: 1,
      create(step) {
        // The table's own step is connected after this one.
        let rows: Rows<K, U> | undefined;
        const look = (record: R): void => {
          const { key, value } = record;
          if (value === null || (key === null && !left)) {
            step.drop(value === null ? 'null value' : 'null key');
            return;
          }
          rows ??= right.rowsIn(step.task);
          const row = key === null ? undefined : rows.get(key as NonNullable<K>);
          if (row === undefined && !left) return;
          const combined = join(value as NonNullable<R['value']>, row ?? null, record);
          step.out.next(withValue(record, combined) as WithValue<R, W>);
        };
        return { take: [ignore, look] };
      },
    });
}

/** @throws ConfigError `ERR_OPTION` for what is not a table, such as a topic. */
function checkTable(right: unknown): void {
  const given = (right ?? {}) as { readonly updates?: unknown; readonly global?: unknown; readonly use?: unknown };
  if (typeof right === 'object' && (given.updates !== undefined || given.global !== undefined)) return;
  const isTopic = given.use !== undefined;
  throw new ConfigError(
    'ERR_OPTION',
    `joinTable(…) was given ${isTopic ? 'a topic' : show(right)} instead of a table`,
    {
      hint: "declare what is joined as a table: table('users', { key: string(), value: json() })",
    },
  );
}

/** A change of the table is in its store, where the next record finds it. */
function ignore(): void {}
