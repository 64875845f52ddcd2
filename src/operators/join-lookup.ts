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

/** The cache of a {@link joinLookup}, in the memory of each task. @public */
export interface LookupCacheOptions {
  /** The most answers to keep; the least recently used one is evicted first. */
  readonly size: number;
  /** How long an answer is valid, by the wall clock. */
  readonly ttl: Duration;
  /** How long the answer "no row" is valid (default: `ttl`). `'0s'` does not cache it. */
  readonly missingTtl?: Duration;
}

/** @public */
export interface JoinLookupOptions<T extends 'inner' | 'left' = 'inner' | 'left'> extends MapAsyncOptions {
  /** `inner` (default): a record without a row emits nothing. `left`: it is combined with `null`. */
  readonly type?: T;
  /** Without it every record causes a call, unless another call for the same id is in progress. */
  readonly cache?: LookupCacheOptions;
}

/** How to choose the id to look up. @public */
export interface LookupKey<R extends AnyRecord, I> {
  /** Returns the id, or `null` for no look-up (default: the key of the record). */
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
 * Combines each record with a row from an external system, such as a database or a service.
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
 * Calls work as in {@link mapAsync}: each task makes at most `concurrency` calls at a time and then takes no further
 * records, records of one key are emitted in order, and a commit waits for the calls of its records. A record whose
 * last try fails or times out (`ERR_ASYNC_TIMEOUT`) goes to the record policy; a failure is not cached.
 *
 * `null` and `undefined` mean that there is no row, which is cached for `missingTtl`. Concurrent look-ups of the same
 * id share one call, with the time-out of the first. Two ids are the same if their MessagePack encodings are equal; an
 * id that is not plain data (a `Map`, an instance of a class) is the same only as itself. Answers are cached in the
 * memory of the task, by the clock of the process: a restart begins with an empty cache. A record whose answer is
 * cached is emitted at once, unless a call for its key is in progress.
 *
 * A null value is dropped and counted. If there is no id (a null key, or `key` returns `null`), an inner join drops and
 * counts the record and a left join combines it with `null`. The external system has no event time: a record gets the
 * row of the moment, and after a crash uncommitted records are looked up again. If results must be reproducible, read
 * the rows as a `table`, with a history if needed.
 *
 * @param lookUp - Called with the id and the call (record, signal, attempt).
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
// If no overload matches, the compiler explains the last one, so the most common one comes last.
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
    reorders: true,
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
        // It waits behind an earlier record of its key that is still in progress.
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
