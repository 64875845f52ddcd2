import type { Observable, OperatorFunction } from 'rxjs';
import type { GlobalSource } from '../dataflow/global-source.ts';
import { node } from '../dataflow/operator.ts';
import type { Rows, TableSource } from '../dataflow/table-source.ts';
import { ConfigError } from '../errors.ts';
import type { Duration } from '../options/duration.ts';
import { checkNames, checkOneOf, show } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { withValue } from './derive.ts';
import { asOfInstance, planAsOf } from './join-as-of.ts';
import { joinGlobal } from './join-global.ts';
import type { AnyRecord, Refused, WithValue } from './record-types.ts';

/** @public */
export interface JoinTableOptions<T extends 'inner' | 'left' = 'inner' | 'left', V = never> {
  /** `inner` (default): a record without a row emits nothing. `left`: it is combined with `null`. */
  readonly type?: T;
  /**
   * For a table with history: how long records wait for late rows, in stream time. At most the history. Requires
   * `store`.
   */
  readonly grace?: Duration;
  /** Name of the stores in which records wait, unique in a pipeline. Keep the name when the pipeline changes. */
  readonly store?: string;
  /** How the values of waiting records are stored (default: MessagePack). */
  readonly value?: Serde<V>;
}

/** How records find their row in a global table. @public */
export interface JoinGlobalOptions<K, R extends AnyRecord, T extends 'inner' | 'left' = 'inner' | 'left'>
  extends Pick<JoinTableOptions<T>, 'type'> {
  /** Returns the key of the row that belongs to a record; `null` for none. */
  readonly key: (value: NonNullable<R['value']>, record: R) => K | null;
}

/** @public */
export function joinTable<K, U, R extends AnyRecord, W>(
  right: GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U> | null, record: R) => W,
  options: JoinGlobalOptions<K, R, 'left'> & { readonly type: 'left' },
): OperatorFunction<R, WithValue<R, W>>;
/** @public */
export function joinTable<K, U, R extends AnyRecord, W>(
  right: GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U>, record: R) => W,
  options: JoinGlobalOptions<K, R, 'inner'>,
): OperatorFunction<R, WithValue<R, W>>;
/** @public */
export function joinTable<K, U, R extends AnyRecord>(
  right: GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U>, record: R) => unknown,
  options?: Pick<JoinTableOptions, 'type'>,
): Refused<'a global table needs { key: (order) => order.productId }: which row belongs to a record'>;
/** @public */
export function joinTable<K, U, R extends StreamRecord<K | null, unknown>, W>(
  right: TableSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U> | null, record: R) => W,
  options: JoinTableOptions<'left', NonNullable<R['value']>> & { readonly type: 'left' },
): OperatorFunction<R, WithValue<R, W>>;
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
 * Only records of the stream emit; a change of the table affects later records. The task takes the record with the
 * lowest timestamp among its topics first, so, as long as both topics have data, a record sees the rows that are not
 * newer than it. Stream and table must have the same number of partitions, which is checked when the application
 * starts.
 *
 * In a table with history, a record finds the row of its own time: the newest version that is not newer than the
 * record. With `grace`, records wait for late rows until stream time is that far ahead of them, and are then joined in
 * order of time, key bytes and arrival; a record that is already that old is joined at once. Waiting records survive
 * restarts.
 *
 * In a table with `ttl`, and in views of one, a record does not find a row that has expired by the record's time: the
 * record advances the table's time.
 *
 * A global table has no such rules about partitions and time: `options.key` chooses the row, the record may have any
 * key and be in any partition, and the newest row counts.
 *
 * An inner join drops and counts a null key, a left join combines it with `null`; a null value is dropped and counted.
 * The table's rows are committed with the stage and survive a restart.
 *
 * @param right - The table, with the same keys as the stream.
 * @param combine - The new value, from the record's value, the row, and the whole record (for its window, timestamp, …).
 * @returns Records with the same key, timestamp and window.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`, `ERR_STORE_NAME`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_KEY_SERDES`.
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
// If no overload matches, the compiler explains the last one, so the most common one comes last.
export function joinTable<K, U, R extends StreamRecord<K | null, unknown>, W>(
  right: TableSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U>, record: R) => W,
  options?: JoinTableOptions<'inner', NonNullable<R['value']>>,
): OperatorFunction<R, WithValue<R, W>>;
export function joinTable<K, U, R extends AnyRecord, W>(
  right: TableSource<K, U> | GlobalSource<K, U>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<U>, record: R) => W,
  options: JoinTableOptions<'inner' | 'left', NonNullable<R['value']>> & Partial<JoinGlobalOptions<K, R>> = {},
): OperatorFunction<R, WithValue<R, W>> | Refused<string> {
  const join = combine as (value: NonNullable<R['value']>, row: NonNullable<U> | null, record: R) => W;
  checkTable(right);
  const where = `joinTable(${right.name})`;
  checkNames(where, options, 'global' in right ? { type: true, key: true } : OPTIONS);
  checkWork(where, combine, 'joinTable(users, (order, user) => ({ ...order, user }))');
  checkOneOf(where, 'type', options.type, ['inner', 'left']);
  const left = options.type === 'left';
  if ('global' in right) {
    if (options.key !== undefined) return joinGlobal(right, join, options.key, left);
    throw new ConfigError('ERR_OPTION', `${where}: a global table needs a key`, {
      hint: 'say which row belongs to a record: joinTable(products, combine, { key: (order) => order.productId })',
    });
  }
  const plan = planAsOf(where, options, right.historyMs);
  return (source: Observable<R>) =>
    // The table comes first, so that a record finds the row with the same timestamp.
    node<never, WithValue<R, W>>([right.updates, source], {
      name: 'joinTable',
      keepsTime: true,
      waits: plan !== undefined,
      detail: right.name,
      needsKey: true,
      guard: 1,
      stores: plan?.stores ?? [],
      create(step) {
        // The table's own step is connected after this one.
        let rows: Rows<K, U> | undefined;
        const joinRow = (record: R, emit: (row: StreamRecord<unknown, unknown>) => void): void => {
          const { key, timestamp, value } = record;
          rows ??= right.rowsIn(step.task);
          rows.time?.reach(timestamp);
          const row = key === null ? undefined : rowOf(rows, key as NonNullable<K>, timestamp);
          if (row === undefined && !left) return;
          emit(withValue(record, join(value as NonNullable<R['value']>, row ?? null, record)));
        };
        const now = (row: StreamRecord<unknown, unknown>): void => step.out.next(row as WithValue<R, W>);
        const held = plan === undefined ? undefined : asOfInstance(step, plan, joinRow as never);
        const look = (record: R): void => {
          const { key, value } = record;
          if (value === null || (key === null && !left)) {
            step.drop(value === null ? 'null value' : 'null key');
          } else if (held === undefined) joinRow(record, now);
          else held.take(record);
        };
        return {
          take: [ignore, look],
          ...(held === undefined
            ? {}
            : { advance: held.advance, closeAll: held.closeAll, holds: held.holds, idle: held.idle }),
        };
      },
    });
}

const OPTIONS = { type: true, grace: true, store: true, value: true } as const;

/** The row that a record finds: in a table with history, the one of the record's time. */
function rowOf<K, U>(rows: Rows<K, U>, key: NonNullable<K>, timestamp: number): NonNullable<U> | undefined {
  return rows.at === undefined ? rows.get(key) : rows.at(key, timestamp);
}

/** @throws ConfigError `ERR_OPTION` for anything but a table, such as a topic. */
function checkTable(right: unknown): void {
  const given = (right ?? {}) as { readonly updates?: unknown; readonly global?: unknown; readonly use?: unknown };
  if (typeof right === 'object' && (given.updates !== undefined || given.global !== undefined)) return;
  const isTopic = given.use !== undefined;
  throw new ConfigError(
    'ERR_OPTION',
    `joinTable(…) was given ${isTopic ? 'a topic' : show(right)} instead of a table`,
    {
      hint: "declare the topic as a table: table('users', { key: string(), value: json() })",
    },
  );
}

/** Nothing to do for a change of the table: the next record finds it in the table's store. */
function ignore(): void {}
