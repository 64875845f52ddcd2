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

/** The definition of a {@link process} step. @public */
export interface ProcessDefinition<
  R extends ProcessInput,
  S extends StoreDeclarations,
  T extends TimerDeclarations,
  P extends OutputDeclarations,
  Out,
> extends StepDefinition<KeyOf<R>, S, T, P, Out> {
  /** Handles a record. */
  readonly next: (record: Keyed<R>, step: RecordStep<KeyOf<R>, S, T, P, Out>) => undefined | void;
}

/**
 * A custom operator: it handles each record, keeps state, and can act later through timers.
 *
 * ```text
 * process({ timers: { quiet: 'stream-time' }, … }): the last value of a key, 5 s after it
 *
 * source  --a:1(0s)--a:2(3s)------b:9(20s)--|
 * result  ------------------------a:2(8s)---|
 * ```
 *
 * `next` is called with each record that has a key, and the functions in `due` when timers are due. They are
 * synchronous and take effect when they return: a call that throws leaves neither state nor output. If `next` throws,
 * the record goes to the record policy. If a timer's function throws, the failure of that timer goes there, and the
 * timer is used up.
 *
 * Stores hold the entries of the task; values are copied in and out. Stream time is the highest timestamp that has
 * reached the step in its task. It advances before the record is handled, even if the record then fails: due timers
 * fire first, in order of time and key bytes. Without data, stream-time timers do not fire; a bounded run that closes
 * windows fires them at its end. Wall-clock timers fire at their time in a separate turn, which waits for no record and
 * delays no commit; a bounded run does not wait for them. Timers of keys survive restarts; those that became due
 * meanwhile fire soon after.
 *
 * Null keys are dropped and counted, and do not advance stream time. Null values reach `next`. Emitted rows have the
 * current key and stay in its partition. A row has the timestamp, headers and origin of its record; a row from a timer
 * has the timer's time and no headers.
 *
 * Name, version, stores and timers are recorded with the state: a definition that does not match the stored state is
 * refused when the task starts.
 *
 * @param definition - `name` and `next` are required. `emits` declares the type of emitted values if it differs from
 * that of the input.
 * @returns The main output. Other outputs go to `into`; {@link processAll} also returns them as streams.
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
