import type { Observable, ObservedValueOf } from 'rxjs';
import type { Aggregator } from '../aggregators/aggregator.ts';
import type { OfNull } from '../aggregators/custom.ts';
import { KeptRows } from '../dataflow/kept-rows.ts';
import { node } from '../dataflow/operator.ts';
import { ConfigError } from '../errors.ts';
import type { Duration } from '../options/duration.ts';
import { checkMethods, checkNames, type OptionNames } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { Change, LateRecord, StreamRecord, WindowedRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { closesAfterMs } from '../windows/closes-after.ts';
import type { Windower } from '../windows/windower.ts';
import { aggregateStores, aggregating } from './aggregating.ts';
import type { State } from './aggregation.ts';
import { checkStoreName } from './keyed.ts';
import { type Expires, ttlOf } from './row-expiry.ts';
import type { UpdateDeletes } from './window-by.ts';
import { windowing } from './windowing.ts';
import { endsByTime, planWindowing, rowsWait, type WindowEmit, windowingStores } from './windowing-plan.ts';

/** The streams that `cogroup` aggregates together. @public */
export type CogroupInputs = readonly Observable<StreamRecord<unknown, unknown>>[];

/** The keys of the streams. @public */
export type CogroupKey<I extends CogroupInputs> = NonNullable<ObservedValueOf<I[number]>['key']>;

type ValueOf<O> = O extends Observable<StreamRecord<unknown, infer V>> ? NonNullable<V> : never;

/** What is done with a record of each stream, in the order of the streams. @public */
export type CogroupAdds<I extends CogroupInputs, A> = {
  readonly [At in keyof I]: (
    state: A,
    value: ValueOf<I[At]>,
    record: StreamRecord<unknown, ValueOf<I[At]>>,
  ) => A | null;
};

/** `null` where one of the functions may delete. @public */
export type CogroupDeletes<F extends readonly ((...args: never) => unknown)[]> = OfNull<ReturnType<F[number]>>;

/** What a `cogroup` is. @public */
export interface CogroupOptions<A, F> {
  /** Name of the state store; unique in a pipeline. State is found by it: keep it when the pipeline changes. */
  readonly store: string;
  /** For graphs and the fingerprint; `cogroup` when left out. */
  readonly name?: string;
  /** The state before the first record. */
  readonly init: () => A;
  /**
   * The state after a record of each stream, in the order of the streams, as a new value: the old one must stay as it was. Null
   * deletes the entry.
   */
  readonly add: F;
  /** How the state is stored; as MessagePack when left out. */
  readonly state?: Serde<A>;
}

/** What a `cogroup` without windows is. @public */
export interface RunningCogroupOptions<A, F, T extends Duration | undefined = Duration | undefined>
  extends CogroupOptions<A, F> {
  readonly windows?: never;
  /** As for {@link aggregate}. */
  readonly ttl?: T;
}

/** What a `cogroup` in windows is. @public */
export interface WindowedCogroupOptions<I extends CogroupInputs, A, F, W, E> extends CogroupOptions<A, F> {
  readonly windows: W;
  /** Joins the states of two sessions, the earlier one first. */
  readonly merge?: (left: A, right: A) => A;
  /** As for `windowBy`. */
  readonly emit?: E;
  /** As for `windowBy`; the values are those of any of the streams. */
  readonly late?: (late: Observable<LateRecord<CogroupKey<I>, ValueOf<I[number]>>>) => Observable<unknown>;
}

type Loose = WindowedCogroupOptions<CogroupInputs, State, readonly Add[], Windower, WindowEmit> & {
  readonly ttl?: Duration;
};

const OPTIONS: OptionNames<Loose> = {
  store: true,
  name: true,
  init: true,
  add: true,
  state: true,
  windows: true,
  merge: true,
  emit: true,
  late: true,
  ttl: true,
};

const EXAMPLE = 'cogroup([orders, payments], { store, init: () => 0, add: [(due, order) => …, (due, payment) => …] })';

/**
 * Aggregates several streams with equal keys into one state per key and window: each stream has its own `add`.
 *
 * ```text
 * cogroup([orders, payments], { windows: tumbling({ size: '10s', grace: '0s' }), … })
 *
 * orders    --a:5(1s)----------------a:2(12s)--|
 * payments  -----------a:3(4s)-----------------|
 * result    -------------------------[0s,10s)=2|
 * ```
 *
 * As {@link windowBy} of one stream of them all: one store, and one stream time, moved by the records of every stream. Null
 * keys and null values are dropped and counted. The rules for late records, for closing and for restarts are those of
 * `windowBy`.
 *
 * @param inputs - The streams; their keys are of one serde.
 * @param options - `store`, `init`, and an `add` for each stream; `windows` with `emit`, `late`, and `merge` for sessions.
 * @returns As `windowBy`.
 * @throws ConfigError as `windowBy`, and `ERR_PIPELINE` without a stream; when planned also `ERR_KEY_SERDES`.
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
 * Aggregates several streams with equal keys into one state per key, and emits it after each record, as {@link aggregate} does.
 *
 * ```text
 * cogroup([orders, payments], { … })
 *
 * orders    --a:5----------a:2--|
 * payments  -------a:3----------|
 * result    --a:5--a:2-----a:4--|
 * ```
 *
 * Records are applied in order of arrival, late ones too; the timestamp of a row is the highest of the key's records. Null
 * keys and values are dropped and counted. Where an `add` returns null the entry is deleted, and a tombstone emitted. `ttl` is as for
 * `aggregate`.
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
  const given = (options ?? {}) as Loose;
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw new ConfigError('ERR_PIPELINE', 'cogroup was given no streams', {
      hint: `list them in order: ${EXAMPLE}`,
    });
  }
  checkNames('cogroup', given, OPTIONS);
  const store = checkStoreName(given.store, 'cogroup');
  const adds = checkAdds(given, inputs.length);
  /** The stream of the record under way: folding is synchronous. */
  let from = 0;
  const { init, merge, name = 'cogroup', state } = given;
  const aggregator: Aggregator<unknown, State, State, null> = {
    name,
    init,
    add: (before, value, record) => (adds[from] as Add)(before, value, record),
    result: (after) => after,
    ...(merge === undefined ? {} : { merge }),
    ...(state === undefined ? {} : { state }),
  };
  const shared = { name: 'cogroup', detail: store, needsKey: true } as const;
  if (given.windows === undefined) {
    for (const option of ['emit', 'late', 'merge'] as const) {
      if (given[option] === undefined) continue;
      throw new ConfigError('ERR_OPTION', `cogroup(${store}) has ${option}, but no windows`, {
        hint: "give windows: tumbling({ size: '1m', grace: '10s' })",
      });
    }
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
  if (given.ttl !== undefined) {
    throw new ConfigError('ERR_OPTION', `cogroup(${store}) has ttl, but windows end by themselves`, {
      hint: 'leave out ttl: the grace of the windows says how long they stay',
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

type Add = (state: State, value: unknown, record: StreamRecord<unknown, unknown>) => State | null;

/** @throws ConfigError `ERR_OPTION`, `ERR_ASYNC_FUNCTION` */
function checkAdds({ add, init, merge, state, store }: Loose, inputs: number): readonly Add[] {
  const where = `cogroup(${store})`;
  if (!Array.isArray(add) || add.length !== inputs) {
    throw new ConfigError('ERR_OPTION', `${where}: add is not a list of ${inputs} functions, one for each stream`, {
      hint: EXAMPLE,
    });
  }
  checkWork(`${where}: init`, init, EXAMPLE);
  for (const [at, each] of add.entries()) checkWork(`${where}: add[${at}]`, each, EXAMPLE);
  if (merge !== undefined) checkWork(`${where}: merge`, merge, EXAMPLE);
  checkMethods(where, 'state', state, ['serialize', 'deserialize']);
  return add;
}
