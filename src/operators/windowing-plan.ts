import type { Aggregator } from '../aggregators/aggregator.ts';
import type { NodePlace, StoreUse } from '../dataflow/node.ts';
import type { TaskContext } from '../dataflow/task-context.ts';
import { ConfigError } from '../errors.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, checkOneOf } from '../options/option-checks.ts';
import { bytes } from '../serdes/bytes.ts';
import { ChangedWindows, markCodec } from '../state/changed-windows.ts';
import { type CountedKey, CountedWindows, countedCodec } from '../state/counted-windows.ts';
import { KeyValueStore } from '../state/key-value-store.ts';
import { windowFingerprint } from '../state/pane-keys.ts';
import { type MergingAggregator, SessionWindows } from '../state/session-windows.ts';
import { SlidingWindows } from '../state/sliding-windows.ts';
import { SpanStore } from '../state/span-store.ts';
import { declareStore } from '../state/store-spec.ts';
import type { WindowEvents, WindowMachine } from '../state/window-machine.ts';
import { WindowStore } from '../state/window-store.ts';
import { WindowedState } from '../state/windowed-state.ts';
import type { Windower } from '../windows/windower.ts';
import { type State, stateCodec } from './aggregation.ts';
import { keySerdeOf } from './keyed.ts';

/** When rows of windows are emitted. @public */
export type WindowEmit = 'close' | 'updates' | { readonly every: Duration };

/** What a windowed aggregation is, before it runs. */
export interface WindowingPlan<V, R> {
  /** As messages call it: `windowBy(clicks-per-minute)`. */
  readonly step: string;
  /** Name of the store. */
  readonly name: string;
  readonly windower: Windower;
  readonly aggregator: Aggregator<V, State, R, null>;
  readonly emit: 'close' | 'updates' | 'every';
  /** Of `{ every }`. */
  readonly everyMs: number;
}

/** Whether windows end by time: else no record is too late for one. */
export function endsByTime({ windower }: WindowingPlan<never, unknown>): boolean {
  return windower.kind !== 'count' && windower.kind !== 'unlimited';
}

/** Whether rows come later than the records that they are of. On update, only those do that take a session back. */
export function rowsWait({ emit, windower }: WindowingPlan<never, unknown>): boolean {
  // What counts records closes with one.
  if (emit === 'close') return windower.kind !== 'count';
  return emit !== 'updates' || windower.kind === 'session';
}

/**
 * Checks what a windowed aggregation was told.
 *
 * @throws ConfigError `ERR_WINDOWER`, `ERR_OPTION`, `ERR_DURATION`, `ERR_AGGREGATION`.
 */
export function planWindowing<V, R>(
  step: string,
  name: string,
  windower: Windower,
  aggregator: Aggregator<V, State, R, null>,
  emit: WindowEmit = 'close',
): WindowingPlan<V, R> {
  const where = `${step}(${name})`;
  if (typeof windower?.fingerprint !== 'string' || typeof windower.graceMs !== 'number') {
    throw new ConfigError('ERR_OPTION', `${where} was given no windows`, {
      hint: "give windows such as tumbling({ size: '1m', grace: '10s' })",
    });
  }
  let everyMs = 0;
  if (typeof emit === 'object' && emit !== null) {
    checkNames(`${where}: emit`, emit, { every: true });
    everyMs = durationMs(emit.every, 'every');
    if (everyMs === 0)
      throw new ConfigError('ERR_OPTION', `${where}: every is ${emit.every}`, { hint: 'give more than 0' });
  } else {
    checkOneOf(where, 'emit', emit, ['close', 'updates']);
  }
  if (emit === 'close' && windower.kind === 'unlimited') {
    throw new ConfigError('ERR_OPTION', `${where} emits on close, but an unlimited window never closes`, {
      hint: "emit 'updates', or { every: '1m' }",
    });
  }
  if (emit !== 'close' && windower.kind === 'count') {
    throw new ConfigError('ERR_OPTION', `${where}: windows of so many records are emitted when they are full`, {
      hint: "leave `emit` out, or give 'close'; for a row per record take aggregate(…)",
    });
  }
  if (windower.kind === 'session' && aggregator.merge === undefined) {
    throw new ConfigError('ERR_AGGREGATION', `${where}: the aggregator ${aggregator.name} cannot merge sessions`, {
      hint: 'give it a `merge` that joins two states: agg.custom({ init, add, merge: (left, right) => … })',
    });
  }
  return { step: where, name, windower, aggregator, emit: everyMs > 0 ? 'every' : (emit as 'close'), everyMs };
}

/** Rows of sessions come by their ends, those of others by their starts (EM-3). */
const byEnd = ({ kind }: Windower): boolean => kind === 'session';

/** Name of the store that knows which windows have changed since their last row. */
const changesOf = (name: string): string => `${name}.every`;

/** How long a span is open behind its end. */
function openMs(windower: Windower): number {
  return windower.graceMs + (windower.kind === 'session' ? windower.gapMs : 0);
}

/** The stores of a windowed aggregation. */
export function windowingStores<V, R>({ aggregator, emit, name, windower }: WindowingPlan<V, R>): readonly StoreUse[] {
  const shared = {
    name,
    key: 'upstream',
    value: stateCodec(aggregator, name),
    present: (state: State): R => aggregator.result(state),
  } as const;
  const meaning = `${windower.fingerprint} ${aggregator.name}`;
  if (windower.kind === 'count') {
    const value = countedCodec(stateCodec(aggregator, name), name);
    const present = ({ windows }: CountedKey<State>): readonly unknown[] =>
      windows.map(({ state }) => (state === undefined ? null : aggregator.result(state)));
    return [declareStore({ name, kind: 'keyValue', key: 'upstream', value, present, fingerprint: meaning })];
  }
  const windows =
    windower.kind === 'session' || windower.kind === 'sliding'
      ? declareStore({
          ...shared,
          kind: 'span',
          fingerprint: meaning,
          byEnd: byEnd(windower),
          openMs: openMs(windower),
        })
      : declareStore({
          ...shared,
          kind: 'window',
          ...windowFingerprint(meaning),
          ...('sizeMs' in windower ? { sizeMs: windower.sizeMs } : {}),
        });
  if (emit !== 'every') return [windows];
  const marks = changesOf(name);
  return [
    windows,
    declareStore({
      name: marks,
      kind: 'keyValue',
      key: bytes(),
      value: markCodec(marks),
      fingerprint: 'changed windows',
    }),
  ];
}

/** Opens the windows of one task. */
export function openWindowing<K, V, R>(
  { aggregator, name, windower }: WindowingPlan<V, R>,
  task: TaskContext,
  place: NodePlace,
  events: WindowEvents<K, State>,
): WindowMachine<K, V, State> {
  const options = {
    key: keySerdeOf<K>(place),
    codec: stateCodec(aggregator, name),
    cacheEntries: task.cacheEntries,
    present: (state: State): R => aggregator.result(state),
    limit: task.time,
  };
  const bytesOf = task.openStore(name);
  if (windower.kind === 'count') {
    const { cacheEntries, codec, key, limit, present } = options;
    const store = new KeyValueStore<K, CountedKey<State>>(
      bytesOf,
      key,
      countedCodec(codec, name),
      cacheEntries,
      ({ windows }) => windows.map(({ state }) => (state === undefined ? null : present(state))),
    );
    return new CountedWindows<K, V, State>(windower, aggregator, store, events, key, limit);
  }
  if (windower.kind === 'session' || windower.kind === 'sliding') {
    const store = new SpanStore<K, State>(bytesOf, { ...options, byEnd: byEnd(windower), openMs: openMs(windower) });
    return windower.kind === 'sliding'
      ? new SlidingWindows<K, V, State>(windower, aggregator, store, events)
      : new SessionWindows<K, V, State>(windower, aggregator as MergingAggregator<V, State>, store, events);
  }
  const store = new WindowStore<K, State>(
    bytesOf,
    'sizeMs' in windower ? { ...options, sizeMs: windower.sizeMs } : options,
  );
  return new WindowedState<K, V, State>(windower, aggregator, store, events);
}

/** Opens what knows which windows have changed since their last row. */
export function openChanges<K, V, R>(
  { name, windower }: WindowingPlan<V, R>,
  task: TaskContext,
  place: NodePlace,
): ChangedWindows<K> {
  return new ChangedWindows(task.openStore(changesOf(name)), keySerdeOf<K>(place), task.cacheEntries, byEnd(windower));
}
