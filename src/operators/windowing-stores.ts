import type { NodePlace, StoreUse } from '../dataflow/node.ts';
import type { TaskContext } from '../dataflow/task-context.ts';
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
import type { WindowingPlan } from './windowing-plan.ts';

/** Sessions are emitted in order of their ends, other windows in order of their starts (EM-3). */
const byEnd = ({ kind }: Windower): boolean => kind === 'session';

/** Name of the store of windows that have changed since their last row. */
const changesOf = (name: string): string => `${name}.every`;

/** How long a window stays open after its end. */
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
    limit: place.time ?? task.time,
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

/** Opens the store of windows that have changed since their last row. */
export function openChanges<K, V, R>(
  { name, windower }: WindowingPlan<V, R>,
  task: TaskContext,
  place: NodePlace,
): ChangedWindows<K> {
  return new ChangedWindows(task.openStore(changesOf(name)), keySerdeOf<K>(place), task.cacheEntries, byEnd(windower));
}
