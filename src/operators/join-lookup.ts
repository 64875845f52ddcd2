import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, checkOneOf, checkWhole, type OptionNames } from '../options/option-checks.ts';
import { checkFunction, checkWork, settled } from '../options/promises.ts';
import { AsyncCalls } from './async-calls.ts';
import { ASYNC_OPTIONS, asyncLimits, type MapAsyncOptions } from './async-limits.ts';
import { withValue } from './derive.ts';
import { LookupCache } from './lookup-cache.ts';
import { Lookups } from './lookups.ts';
import type { AsyncCall } from './map-async.ts';
import type { AnyRecord, WithValue } from './record-types.ts';

/** What a {@link joinLookup} remembers, in the memory of each task. @public */
export interface LookupCacheOptions {
  /** The most answers that are kept; the least recently used one goes first. */
  readonly size: number;
  /** How long an answer counts, by the clock. */
  readonly ttl: Duration;
  /** How long it counts that there is no row; as `ttl` when left out, `'0s'` for not at all. */
  readonly missingTtl?: Duration;
}

/** @public */
export interface JoinLookupOptions<T extends 'inner' | 'left' = 'inner' | 'left'> extends MapAsyncOptions {
  /** `inner` (default): a record without a row gives nothing. `left`: it is combined with `null`. */
  readonly type?: T;
  /** Left out: each record asks, but for those that wait for the same answer. */
  readonly cache?: LookupCacheOptions;
}

/** What a look-up asks for, by record. @public */
export interface LookupKey<R extends AnyRecord, I> {
  /** `null` for nothing. Left out: the key of the record. */
  readonly key: (value: NonNullable<R['value']>, record: R) => I | null;
}

const OPTIONS: OptionNames<JoinLookupOptions & LookupKey<AnyRecord, unknown>> = {
  ...ASYNC_OPTIONS,
  type: true,
  cache: true,
  key: true,
};
const CACHE_OPTIONS: OptionNames<LookupCacheOptions> = { size: true, ttl: true, missingTtl: true };

type Answer<W> = Promise<W | null | undefined> | W | null | undefined;

/** @public */
export function joinLookup<R extends AnyRecord, I, W, U>(
  lookUp: (id: I, call: AsyncCall<R>) => Answer<W>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<W> | null, record: R) => U,
  options: JoinLookupOptions<'left'> & LookupKey<R, I> & { readonly type: 'left' },
): OperatorFunction<R, WithValue<R, U>>;
/** @public */
export function joinLookup<R extends AnyRecord, I, W, U>(
  lookUp: (id: I, call: AsyncCall<R>) => Answer<W>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<W>, record: R) => U,
  options: JoinLookupOptions<'inner'> & LookupKey<R, I>,
): OperatorFunction<R, WithValue<R, U>>;
/** @public */
export function joinLookup<R extends AnyRecord, W, U>(
  lookUp: (id: NonNullable<R['key']>, call: AsyncCall<R>) => Answer<W>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<W> | null, record: R) => U,
  options: JoinLookupOptions<'left'> & { readonly type: 'left'; readonly key?: never },
): OperatorFunction<R, WithValue<R, U>>;
/**
 * Combines each record with a row that a system outside has: a database, a service.
 *
 * ```text
 * joinLookup(fetchUser, (click, user) => `${user.name}: ${click}`, { cache: { size: 100, ttl: '1m' } })
 *
 * source  --ada:x--bob:y----------ada:z------------|
 * calls     ada......
 *                  bob..
 * result  ------------bob:'Bob: y'-ada:'Ada: x'-ada:'Ada: z'--|
 * ```
 *
 * Calls are those of {@link mapAsync}: at most `concurrency` are under way per task, records of one key come out in their order, a
 * commit waits for the calls of its records, and a task with enough of them takes no further records. A record whose last try fails or
 * times out (`ERR_ASYNC_TIMEOUT`) goes to the record policy; a failure is not remembered.
 *
 * `null` and `undefined` say that there is no row, which is remembered for `missingTtl`. Records that ask for the same at the
 * same time share one call, with the time-out of the first of them: ids are the same where MessagePack writes them alike, and what is no
 * plain data (a `Map`, an object of a class) is the same as itself alone. Answers are kept in the memory of the task, by the clock of the process: a
 * restart begins with none. A record whose answer is known goes on at once, if none of its key is under way.
 *
 * A null value is dropped and counted. Where there is nothing to ask for (a null key, or `key` gives `null`), an inner join drops and counts
 * the record and a left join combines it with `null`. The system outside has no event time: a record finds what is there when it is
 * asked, and after a crash records that were not committed ask again. Where results have to be the same each time, read
 * the rows as a `table`, with a history if need be.
 *
 * @param lookUp - Gets what is asked for and the call (record, signal, attempt).
 * @param combine - The new value, from the record's value, the row, and the whole record.
 * @param options - Limits, cache, `key`.
 * @returns Records with the same key, timestamp, headers and window.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`, `ERR_ASYNC_FUNCTION`.
 * @see {@link joinTable} for rows that are in a topic.
 *
 * @example
 * ```ts
 * import { joinLookup, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<{ item: string }>() });
 * const priced = topic('priced', { key: string(), value: json<{ item: string; price: number }>() });
 * const asked: string[] = [];
 * const priceOf = async (item: string): Promise<number | undefined> => {
 *   asked.push(item);
 *   return item === 'tea' ? 3 : undefined;
 * };
 * const driver = new TestDriver(
 *   orders.pipe(
 *     joinLookup(priceOf, (order, price) => ({ ...order, price }), {
 *       key: (order) => order.item,
 *       timeout: '2s',
 *       cache: { size: 1000, ttl: '5m', missingTtl: '10s' },
 *     }),
 *     to(priced),
 *   ),
 * );
 * for (const item of ['tea', 'tea', 'gold']) driver.pipe(orders, { key: 'ada', value: { item } });
 * await driver.settled();
 * console.log(driver.read(priced).map(({ value }) => value?.price).join(), asked.join());
 * // => 3,3 tea,gold
 * ```
 * @public
 */
// The compiler explains the last overload when none fits, so the most common one stands last.
export function joinLookup<R extends AnyRecord, W, U>(
  lookUp: (id: NonNullable<R['key']>, call: AsyncCall<R>) => Answer<W>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<W>, record: R) => U,
  options?: JoinLookupOptions<'inner'> & { readonly key?: never },
): OperatorFunction<R, WithValue<R, U>>;
export function joinLookup<R extends AnyRecord, W, U>(
  lookUp: (id: never, call: AsyncCall<R>) => Answer<W>,
  combine: (value: NonNullable<R['value']>, row: NonNullable<W>, record: R) => U,
  options: JoinLookupOptions & Partial<LookupKey<R, unknown>> = {},
): OperatorFunction<R, WithValue<R, U>> {
  const where = lookUp?.name ? `joinLookup(${lookUp.name})` : 'joinLookup';
  checkFunction(where, lookUp, 'joinLookup(async (id) => fetchUser(id), (order, user) => ({ ...order, user }))');
  checkWork(where, combine, 'joinLookup(fetchUser, (order, user) => ({ ...order, user }))');
  checkNames(where, options, OPTIONS);
  checkOneOf(where, 'type', options.type, ['inner', 'left']);
  const { cache, key: keyOf } = options;
  if (keyOf !== undefined) checkWork(`${where}: key`, keyOf, '{ key: (order) => order.userId }');
  const left = options.type === 'left';
  const limits = asyncLimits(where, options);
  const makeCache = cache === undefined ? () => undefined : cacheOf<W>(where, cache);
  const join = combine as (value: NonNullable<R['value']>, row: W | null, record: R) => U;
  const idOf = (record: R): unknown => {
    if (keyOf === undefined) return record.key ?? null;
    return settled(keyOf(record.value as NonNullable<R['value']>, record)) ?? null;
  };
  return operator<R, WithValue<R, U>>({
    name: 'joinLookup',
    keepsTime: true,
    ...(lookUp.name === '' ? {} : { detail: lookUp.name }),
    create(step) {
      const { out, place, task } = step;
      const rows = new Lookups<AsyncCall<R>, W>(lookUp, makeCache(), task.clock);
      const emit = (record: R, row: W | null): void => {
        if (row === null && !left) return;
        out.next(withValue(record, join(record.value as NonNullable<R['value']>, row, record)) as WithValue<R, U>);
      };
      const answered = (record: R, row: W | null): void => {
        try {
          emit(record, row);
        } catch (error) {
          step.failed(error);
        }
      };
      const ask = async (_value: unknown, call: AsyncCall<R>): Promise<W | null> => {
        const id = idOf(call.record);
        return id === null ? null : rows.of(id, call);
      };
      const calls = new AsyncCalls<unknown, R, W | null>(ask, limits, task, place, answered);
      task.addAsyncWorker(calls);
      task.onTeardown(() => calls.abort());
      const take = (record: R): void => {
        if (record.value === null || record.value === undefined) return step.drop('null value');
        const id = idOf(record);
        if (id === null && !left) return step.drop('null key');
        // Behind one of its key that is under way it waits for its turn.
        const row = calls.isFree(record.key) ? (id === null ? null : rows.known(id)) : undefined;
        if (row === undefined) calls.add(record);
        else emit(record, row);
      };
      return { take: [take], complete: (done) => calls.complete(done) };
    },
  });
}

/** @throws ConfigError `ERR_OPTION`, `ERR_DURATION`. */
function cacheOf<W>(where: string, cache: LookupCacheOptions): () => LookupCache<W> {
  checkNames(`${where}: cache`, cache, CACHE_OPTIONS);
  checkWhole(`${where}: cache`, 'size', cache.size ?? null, 1);
  const ttlMs = durationMs(cache.ttl, `${where}: cache.ttl`);
  const missingTtlMs = cache.missingTtl === undefined ? ttlMs : durationMs(cache.missingTtl, `${where}: missingTtl`);
  return () => new LookupCache<W>(cache.size, ttlMs, missingTtlMs);
}
