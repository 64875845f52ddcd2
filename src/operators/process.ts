import type { Observable } from 'rxjs';
import { type Processed, processNode } from './process-node.ts';
import { planProcess } from './process-plan.ts';
import type {
  Keyed,
  KeyOf,
  OutputDeclarations,
  ProcessInput,
  RecordStep,
  StepDefinition,
  StoreDeclarations,
  TimerDeclarations,
} from './process-types.ts';

/** What a {@link process} step is. @public */
export interface ProcessDefinition<
  R extends ProcessInput,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> extends StepDefinition<KeyOf<R>, S, T, P, Out> {
  /** What it does with a record. */
  readonly next: (record: Keyed<R>, step: RecordStep<KeyOf<R>, S, T, P, Out>) => undefined | void;
}

/**
 * An operator of your own: what it does with each record, what it keeps, and what it does later.
 *
 * ```text
 * process({ timers: { quiet: 'stream-time' }, … }): the last value of a key, 5 s after it
 *
 * source  --a:1(0s)--a:2(3s)------b:9(20s)--|
 * result  ------------------------a:2(8s)---|
 * ```
 *
 * `next` is called with each record that has a key, and the functions in `due` when timers are due. They are synchronous and
 * take effect when they return: a call that throws leaves neither state nor output. A throw of `next` goes to the record
 * policy of its record; one of a timer goes there as that timer, which is used up.
 *
 * Stores hold the entries of the task, and values go in and out as copies. Stream time is the highest timestamp that has
 * reached the step in its task. It moves first, also with a record that fails then: timers that are due fire before the record
 * is handled, in the order of time and key bytes. Without data they do not fire; a bounded run that closes windows at
 * its end fires them. Timers on the wall clock fire when it comes to their time, as a turn of their own, which waits for no
 * record and delays no commit; a bounded run does not wait for them. Timers of keys survive restarts, and those that are due by then fire soon.
 *
 * Null keys are dropped and counted and move no time. Null values reach `next`. Rows have the key at hand, and lie where
 * it belongs. A row has the timestamp, headers and place of its record; that of a timer has its time and no headers.
 *
 * Name, version, stores and timers go with the state: what does not fit what is stored is refused when the task starts.
 *
 * @param definition - `name` and `next` are required. `emits` tells the type of what is emitted where it is not that of the input.
 * @returns The main output. {@link processAll} also gives the others as streams; here they go to `into`.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_DURATION`, `ERR_ASYNC_FUNCTION`; when planned `ERR_KEY_CHANGED`,
 * `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
 *
 * @example The last price of each article, once it has not changed for five seconds
 * ```ts
 * import { json, keyValue, process, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const prices = topic('prices', { key: string(), value: json<number>() });
 * const settled = topic('settled-prices', { key: string(), value: json<number>() });
 * const driver = new TestDriver(
 *   prices.pipe(
 *     process({
 *       name: 'settle',
 *       stores: { last: keyValue('last-prices', { value: json<number>() }) },
 *       timers: { quiet: 'stream-time' },
 *       next({ timestamp, value }, { key, stores, timers }) {
 *         stores.last.set(key, value);
 *         timers.quiet.set(timestamp + 5_000);
 *       },
 *       due: {
 *         quiet({ key }, { emit, stores }) {
 *           emit(stores.last.get(key) ?? 0);
 *           stores.last.delete(key);
 *         },
 *       },
 *     }),
 *     to(settled),
 *   ),
 * );
 * driver.pipe(prices, { key: 'tea', value: 3, timestamp: 0 });
 * driver.pipe(prices, { key: 'tea', value: 4, timestamp: 3_000 });
 * driver.restart();
 * driver.pipe(prices, { key: 'milk', value: 1, timestamp: 20_000 });
 * console.log(driver.read(settled).map(({ key, timestamp, value }) => `${key} ${value} at ${timestamp}`).join());
 * // => tea 4 at 8000
 * ```
 * @public
 */
export function process<
  R extends ProcessInput,
  S extends StoreDeclarations = {},
  T extends TimerDeclarations = {},
  P extends OutputDeclarations = {},
  Out = R['value'],
>(definition: ProcessDefinition<R, S, T, P, Out>): (source: Observable<R>) => Processed<KeyOf<R>, P, Out> {
  const plan = planProcess('process', definition, 1);
  return (source) => processNode<KeyOf<R>, P, Out>('process', [source], plan);
}
