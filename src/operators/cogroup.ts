import type { Observable } from 'rxjs';
import type { Aggregator } from '../aggregators/aggregator.ts';
import { returned } from '../aggregators/returned.ts';
import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import type { Duration } from '../options/duration.ts';
import type { Change, LateRecord, StreamRecord, WindowedRecord } from '../record.ts';
import { closesAfterMs } from '../windows/closes-after.ts';
import type { Windower } from '../windows/windower.ts';
import { aggregateStores, aggregating } from './aggregating.ts';
import type { State } from './aggregation.ts';
import {
  type CogroupAdd,
  type CogroupAdds,
  type CogroupDeletes,
  type CogroupInputs,
  type CogroupKey,
  checkCogroup,
  type LooseCogroup,
  type RunningCogroupOptions,
  type WindowedCogroupOptions,
} from './cogroup-options.ts';
import { type Expires, ttlOf } from './row-expiry.ts';
import type { UpdateDeletes } from './window-by.ts';
import { windowing } from './windowing.ts';
import { endsByTime, planWindowing, rowsWait, type WindowEmit } from './windowing-plan.ts';
import { windowingStores } from './windowing-stores.ts';

/**
 * Aggregates several streams with the same keys into one state per key and window. Each stream has its own `add`.
 *
 * ```text
 * cogroup([orders, payments], { windows: tumbling({ size: '10s', grace: '0s' }), … })
 *
 * orders    --a:5(1s)----------------a:2(12s)--|
 * payments  -----------a:3(4s)-----------------|
 * result    -------------------------[0s,10s)=2|
 * ```
 *
 * It works like {@link windowBy} on the union of the streams, with one store and one stream time, which the records of
 * every stream advance. Null keys and null values are dropped and counted. The rules for late records, closing and
 * restarts are those of `windowBy`.
 *
 * @param inputs - The streams; their keys are of one serde.
 * @param options - `store`, `init`, and an `add` for each stream; `windows` with `emit`, `late`, and `merge` for sessions.
 * @returns Rows of windows, as `windowBy`.
 * @throws ConfigError as `windowBy`, and `ERR_PIPELINE` without streams; when planned also `ERR_KEY_SERDES`.
 * @public
 */
export function cogroup<
  const I extends CogroupInputs,
  A,
  const F extends CogroupAdds<I, A>,
  W extends Windower,
  E extends WindowEmit = 'close',
>(
  inputs: I,
  options: WindowedCogroupOptions<I, A, F, W, E>,
): Observable<WindowedRecord<CogroupKey<I>, A | UpdateDeletes<E, W, CogroupDeletes<F>>>>;
/**
 * Aggregates several streams with the same keys into one state per key and emits it after each record, like {@link
 * aggregate}.
 *
 * ```text
 * cogroup([orders, payments], { … })
 *
 * orders    --a:5----------a:2--|
 * payments  -------a:3----------|
 * result    --a:5--a:2-----a:4--|
 * ```
 *
 * Records are applied in order of arrival, including late ones; the timestamp of a row is the highest of its key's
 * records. Null keys and values are dropped and counted. If an `add` returns null, the entry is deleted and a tombstone
 * is emitted. `ttl` works as for `aggregate`.
 *
 * @param inputs - The streams; their keys are of one serde.
 * @param options - `store`, `init`, and an `add` for each stream; `ttl`.
 * @returns Changes of rows, as `aggregate`.
 *
 * @example
 * ```ts
 * import { cogroup, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
 * const payments = topic('payments', { key: string(), value: json<number>() });
 * const balances = topic('balances', { key: string(), value: json<number>() });
 * const due = cogroup([orders, payments], {
 *   store: 'due',
 *   init: () => 0,
 *   add: [(sum, order) => sum + order.total, (sum, payment) => sum - payment],
 * });
 * const driver = new TestDriver(due.pipe(to(balances)));
 * driver.pipe(orders, { key: 'ada', value: { total: 12 } });
 * driver.pipe(payments, { key: 'ada', value: 10 });
 * console.log(driver.read(balances).map(({ value }) => value));
 * // => [ 12, 2 ]
 * ```
 * @public
 */
export function cogroup<
  const I extends CogroupInputs,
  A,
  const F extends CogroupAdds<I, A>,
  T extends Duration | undefined = undefined,
>(
  inputs: I,
  options: RunningCogroupOptions<A, F, T>,
): Observable<Change<CogroupKey<I>, A, CogroupDeletes<F> | Expires<T>>>;
export function cogroup(inputs: CogroupInputs, options: object): Observable<StreamRecord<unknown, unknown>> {
  type In = StreamRecord<unknown, unknown>;
  const given = (options ?? {}) as LooseCogroup;
  const adds = checkCogroup(inputs, given);
  const { store } = given;
  /** The stream of the current record. This can be a variable, because folding is synchronous. */
  let from = 0;
  const { init, merge, name = 'cogroup', state } = given;
  const aggregator: Aggregator<unknown, State, State, null> = {
    name,
    init,
    add: (before, value, record) => returned((adds[from] as CogroupAdd)(before, value, record), before, 'cogroup: add'),
    result: (after) => after,
    ...(merge === undefined ? {} : { merge }),
    ...(state === undefined ? {} : { state }),
  };
  const shared = { name: 'cogroup', detail: store, needsKey: true } as const;
  if (given.windows === undefined) {
    const ttlMs = ttlOf(`cogroup(${store})`, given.ttl);
    const rows = new KeptRows<unknown, State>();
    return node<In, Change<unknown, State>>(inputs, {
      keepsTime: true,
      ...shared,
      stores: aggregateStores(store, aggregator, ttlMs),
      rows,
      create(step) {
        const { take, ...rest } = aggregating<unknown, unknown, State, Change<unknown, State>>(
          step,
          store,
          aggregator,
          rows,
          ttlMs,
        );
        return {
          ...rest,
          take: inputs.map((_, at) => (record: In) => {
            from = at;
            take(record);
          }),
        };
      },
    });
  }
  const plan = planWindowing<unknown, State>('cogroup', store, given.windows, aggregator, given.emit);
  const { late } = given;
  return node<In, WindowedRecord<unknown, State>>(inputs, {
    keepsTime: true,
    mayBeLate: endsByTime(plan),
    waits: rowsWait(plan),
    ...shared,
    closesAfterMs: closesAfterMs(given.windows),
    stores: windowingStores(plan),
    ports: ['late'],
    ...(late === undefined ? {} : { roots: (port) => [late(port<LateRecord<never, never>>('late'))] }),
    create: (step) =>
      windowing<unknown, unknown, State>(step, plan, inputs.length, (at) => {
        from = at;
      }),
  });
}
