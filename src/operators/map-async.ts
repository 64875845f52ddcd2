import type { OperatorFunction } from 'rxjs';
import { operator } from '../dataflow/operator.ts';
import { checkNames } from '../options/option-checks.ts';
import { checkFunction } from '../options/promises.ts';
import { AsyncCalls } from './async-calls.ts';
import { ASYNC_OPTIONS, asyncLimits, type MapAsyncOptions } from './async-limits.ts';
import { withValue } from './derive.ts';
import type { ValuedRecord, WithValue } from './record-types.ts';

/** What an asynchronous function is told about its call. @public */
export interface AsyncCall<R> {
  readonly record: R;
  /** Aborted when the call times out or the task stops: its result is then no longer needed. */
  readonly signal: AbortSignal;
  /** Number of the try, starting with 1. */
  readonly attempt: number;
}

/**
 * Replaces each value with the result of an asynchronous function.
 *
 * ```text
 * mapAsync(lookUp)
 *
 * source  --a:1--b:2--a:3--------|
 * calls     a:1......
 *                b:2..
 *                     (a:3 waits for a:1)..
 * result  -----------b:2'--a:1'------a:3'--|
 * ```
 *
 * Each task makes at most `concurrency` calls at a time; at that limit it takes no further records. Records of one key
 * are called and emitted one after the other; records without a key are independent. While the records of a busy key
 * wait for each other, the task continues with other keys: it holds up to 16 times `concurrency` records. A commit
 * waits for the calls of the records that it covers, so no offset is committed past unfinished work. The stream time
 * of the steps below waits for the oldest record in progress, so none is late because others have overtaken it. After a crash,
 * unfinished records are called again: make the function safe to repeat.
 *
 * @param project - Called with the value and the call (record, signal, attempt); returns a promise of the new value.
 * @param options - Limits for the calls.
 * @returns Records with the new value. A record whose last try fails or times out (`ERR_ASYNC_TIMEOUT`) goes to the record
 * policy.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`.
 *
 * @example
 * ```ts
 * import { json, mapAsync, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<string>() });
 * const priced = topic('priced', { key: string(), value: json<{ item: string; price: number }>() });
 * const priceOf = async (item: string): Promise<number> => item.length;
 * const driver = new TestDriver(
 *   orders.pipe(mapAsync(async (item) => ({ item, price: await priceOf(item) }), { concurrency: 8 }), to(priced)),
 * );
 * driver.pipe(orders, { key: 'ada', value: 'tea' });
 * await driver.settled();
 * console.log(driver.read(priced)[0]?.value?.price);
 * // => 3
 * ```
 * @public
 */
export function mapAsync<V, U, R extends ValuedRecord<V> = ValuedRecord<V>>(
  project: (value: V, call: AsyncCall<R>) => Promise<U> | U,
  options: MapAsyncOptions = {},
): OperatorFunction<R & ValuedRecord<V>, WithValue<R, U>> {
  checkFunction('mapAsync', project, 'mapAsync(async (order) => save(order))');
  checkNames('mapAsync', options, ASYNC_OPTIONS);
  const limits = asyncLimits('mapAsync', options);
  return operator<R & ValuedRecord<V>, WithValue<R, U>>({
    name: 'mapAsync',
    keepsTime: true,
    reorders: true,
    ...(project.name === '' ? {} : { detail: project.name }),
    create({ out, place, task }) {
      const calls = new AsyncCalls<V, R, U>(project, limits, task, place, (record, value) =>
        out.next(withValue(record, value) as WithValue<R, U>),
      );
      task.addAsyncWorker(calls);
      task.onTeardown(() => calls.abort());
      return { take: [(record: R) => calls.add(record)], complete: (done) => calls.complete(done) };
    },
  });
}
