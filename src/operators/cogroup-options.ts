import type { Observable, ObservedValueOf } from 'rxjs';
import type { OfNull } from '../aggregators/custom.ts';
import { ConfigError } from '../errors.ts';
import type { Duration } from '../options/duration.ts';
import { checkMethods, checkNames, type OptionNames } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { LateRecord, StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { Windower } from '../windows/windower.ts';
import type { State } from './aggregation.ts';
import { checkStoreName } from './keyed.ts';
import type { WindowEmit } from './windowing-plan.ts';

/** The streams that `cogroup` aggregates together. @public */
export type CogroupInputs = readonly Observable<StreamRecord<unknown, unknown>>[];

/** The keys of the streams. @public */
export type CogroupKey<I extends CogroupInputs> = NonNullable<ObservedValueOf<I[number]>['key']>;

type ValueOf<O> = O extends Observable<StreamRecord<unknown, infer V>> ? NonNullable<V> : never;

/** Functions that add a record of each stream, in the order of the streams. @public */
export type CogroupAdds<I extends CogroupInputs, A> = {
  readonly [At in keyof I]: (
    state: A,
    value: ValueOf<I[At]>,
    record: StreamRecord<unknown, ValueOf<I[At]>>,
  ) => A | null;
};

/** `null` if one of the functions may delete. @public */
export type CogroupDeletes<F extends readonly ((...args: never) => unknown)[]> = OfNull<ReturnType<F[number]>>;

/** The definition of a `cogroup`. @public */
export interface CogroupOptions<A, F> {
  /** Name of the state store, unique in a pipeline. It identifies the state: keep it when the pipeline changes. */
  readonly store: string;
  /** Name for graphs and the fingerprint (default: `cogroup`). */
  readonly name?: string;
  /** The state before the first record. */
  readonly init: () => A;
  /**
   * One function per stream, in the order of the streams. Each returns the state after a record, as a new value: don't
   * modify the old one. Null deletes the entry.
   */
  readonly add: F;
  /** How the state is stored (default: MessagePack). */
  readonly state?: Serde<A>;
}

/** The definition of a `cogroup` without windows. @public */
export interface RunningCogroupOptions<A, F, T extends Duration | undefined = Duration | undefined>
  extends CogroupOptions<A, F> {
  readonly windows?: never;
  /** As for {@link aggregate}. */
  readonly ttl?: T;
}

/** The definition of a `cogroup` with windows. @public */
export interface WindowedCogroupOptions<I extends CogroupInputs, A, F, W, E> extends CogroupOptions<A, F> {
  readonly windows: W;
  /** Merges the states of two sessions, the earlier one first. */
  readonly merge?: (left: A, right: A) => A;
  /** As for `windowBy`. */
  readonly emit?: E;
  /** As for `windowBy`; the values can come from any of the streams. */
  readonly late?: (late: Observable<LateRecord<CogroupKey<I>, ValueOf<I[number]>>>) => Observable<unknown>;
}

/** The options of both kinds, without their types. */
export type LooseCogroup = WindowedCogroupOptions<CogroupInputs, State, readonly CogroupAdd[], Windower, WindowEmit> & {
  readonly ttl?: Duration;
};

const OPTIONS: OptionNames<LooseCogroup> = {
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
 * Checks the arguments of `cogroup`.
 *
 * @throws ConfigError `ERR_PIPELINE`, `ERR_OPTION`, `ERR_ASYNC_FUNCTION`, `ERR_STORE_NAME`
 */
export function checkCogroup(inputs: CogroupInputs, given: LooseCogroup): readonly CogroupAdd[] {
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw new ConfigError('ERR_PIPELINE', 'cogroup was given no streams', { hint: `list them in order: ${EXAMPLE}` });
  }
  checkNames('cogroup', given, OPTIONS);
  const store = checkStoreName(given.store, 'cogroup');
  const adds = checkAdds(given, inputs.length);
  if (given.windows !== undefined && given.ttl !== undefined) {
    throw new ConfigError('ERR_OPTION', `cogroup(${store}) has ttl, but windows end by themselves`, {
      hint: 'leave out ttl: the grace of the windows says how long they stay',
    });
  }
  for (const option of given.windows === undefined ? (['emit', 'late', 'merge'] as const) : []) {
    if (given[option] === undefined) continue;
    throw new ConfigError('ERR_OPTION', `cogroup(${store}) has ${option}, but no windows`, {
      hint: "give windows: tumbling({ size: '1m', grace: '10s' })",
    });
  }
  return adds;
}

/** Adds a record of a stream to the state. */
export type CogroupAdd = (state: State, value: unknown, record: StreamRecord<unknown, unknown>) => State | null;

/** @throws ConfigError `ERR_OPTION`, `ERR_ASYNC_FUNCTION` */
function checkAdds({ add, init, merge, state, store }: LooseCogroup, inputs: number): readonly CogroupAdd[] {
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
