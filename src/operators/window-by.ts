import type { Observable, OperatorFunction } from 'rxjs';
import type { Aggregator, Spec } from '../aggregators/aggregator.ts';
import type { KeptRow } from '../dataflow/emitted-row.ts';
import { type Instance, node } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import { checkNames, checkOneOf, type OptionNames } from '../options/option-checks.ts';
import { settled } from '../options/promises.ts';
import type { Lateness, LateRecord, StreamRecord, Window, WindowedRecord } from '../record.ts';
import { NO_HEADERS } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { windowFingerprint } from '../state/pane-keys.ts';
import { declareStore } from '../state/store-spec.ts';
import { type Pane, WindowStore } from '../state/window-store.ts';
import { WindowedState } from '../state/windowed-state.ts';
import type { Windower } from '../windows/windower.ts';
import {
  type AggregationDeletes,
  type AggregationResult,
  type State,
  stateCodec,
  toAggregator,
} from './aggregation.ts';
import { withWindow } from './derive.ts';
import { checkStoreName, keySerdeOf } from './keyed.ts';

/** @public */
export interface WindowByOptions<K, V> {
  /** Name of the state store; unique in a pipeline. State is found by it: keep it when the pipeline changes. */
  readonly store: string;
  /** `close` (default): one row per window, when it closes. `updates`: a row per record. */
  readonly emit?: 'close' | 'updates';
  /**
   * What to do with late records, beside counting them: a pipeline of its own inside the same stage, such as
   * `(late) => late.pipe(to(lateClicks))`. One record per late arrival, with `late` telling which windows it missed.
   */
  readonly late?: (late: Observable<LateRecord<K, V>>) => Observable<unknown>;
}

const WINDOW_BY_OPTIONS: OptionNames<WindowByOptions<never, never>> = { store: true, emit: true, late: true };

/**
 * Aggregates records by key and event-time window.
 *
 * ```text
 * windowBy(tumbling({ size: '1m', grace: '10s' }), agg.count(), { store: 'per-minute' })
 *
 * source  --a(1s)--b(59s)--c(61s)--d(58s)--e(70s)-------|
 * result  ---------------------------------[0s,60s)=3---|
 * ```
 *
 * A window closes when stream time (the highest timestamp this operator has seen in its task) reaches its end plus the
 * grace period. Windows that close together come by start, then by key bytes. A record for a closed window is late: it is
 * counted, and goes to `late` where that is given. Null keys and null values are dropped and counted, and move no time.
 *
 * No clock is read: without further records open windows stay open. They and the stream time are kept in the store and
 * survive restarts; when a bounded run ends they stay, unless it was told to close them.
 *
 * @param windower - Which windows a timestamp falls in, and when they close.
 * @param aggregation - One aggregator, or several by name that share one store.
 * @param options - `store` is required.
 * @returns Records with the same key, the result as value, `window`, and the highest timestamp of the window's records.
 * Rows on close carry no headers; rows on update carry those of the record that caused them.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
 * @see {@link aggregate} for a running aggregate without windows.
 *
 * @example
 * ```ts
 * import { agg, json, string, to, topic, tumbling, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<string>() });
 * const late = topic('late-clicks', { key: string(), value: json<string>() });
 * const counts = topic('counts', { key: string(), value: json<number>() });
 * const minute = tumbling({ size: '1m', grace: '0s' });
 * const driver = new TestDriver(
 *   clicks.pipe(windowBy(minute, agg.count(), { store: 'clicks', late: (records) => records.pipe(to(late)) }), to(counts)),
 * );
 * for (const timestamp of [1_000, 59_000, 60_000, 58_000]) driver.pipe(clicks, { key: 'ada', value: '/', timestamp });
 * console.log(driver.read(counts)[0]?.value, driver.read(late).length);
 * // => 2 1
 * ```
 * @public
 */
export function windowBy<
  K,
  V,
  A,
  R,
  S extends Spec<V>,
  D extends null = never,
  E extends 'close' | 'updates' = 'close',
>(
  windower: Windower,
  aggregation: Aggregator<V, A, R, D> | S,
  options: WindowByOptions<K, V> & { readonly emit?: E },
): OperatorFunction<
  StreamRecord<K | null, V | null>,
  WindowedRecord<K, AggregationResult<V, R, S> | (E extends 'updates' ? AggregationDeletes<V, D, S> : never)>
> {
  type Result = AggregationResult<V, R, S> | (E extends 'updates' ? AggregationDeletes<V, D, S> : never);
  const aggregator: Aggregator<V, State, Result, null> = toAggregator<V, A, R, S>(aggregation);
  const step = 'windowBy';
  checkNames(step, options ?? {}, WINDOW_BY_OPTIONS);
  const name = checkStoreName(options?.store, step);
  const { emit = 'close' } = options;
  checkOneOf(`windowBy(${name})`, 'emit', emit, ['close', 'updates']);
  const { late } = options;
  return (source) =>
    node<StreamRecord<K | null, V | null>, WindowedRecord<K, Result>>([source], {
      name: step,
      detail: name,
      needsKey: true,
      stores: [
        declareStore({
          name,
          kind: 'window',
          key: 'upstream',
          value: stateCodec(aggregator, name),
          ...windowFingerprint(`${windower.fingerprint} ${aggregator.name}`),
          present: (state) => aggregator.result(state),
          sizeMs: windower.sizeMs,
        }),
      ],
      ports: ['late'],
      ...(late === undefined ? {} : { roots: (port) => [late(port<LateRecord<K, V>>('late'))] }),
      create: (at) => windowing<K, V, Result>(at, windower, aggregator, name, emit),
    });
}

/** Where rows come from that no record caused. */
const END_OF_INPUT = { key: null, value: null, timestamp: 0, headers: NO_HEADERS, topic: '', partition: 0, offset: -1 };

/** The row of a closed window that no value could be made for. */
function unmade(pane: Pane<unknown, State>, window: Window, keySerde: Serde<unknown> | undefined): KeptRow {
  const { key, state, timestamp, unread } = pane;
  const rest = { key, keySerde, window, timestamp };
  return unread === undefined
    ? { ...rest, holds: 'state', content: state ?? null }
    : { ...rest, holds: 'stored', content: unread };
}

/** The windows of one task. */
function windowing<K, V, R>(
  step: Step<WindowedRecord<K, R>>,
  windower: Windower,
  aggregator: Aggregator<V, State, R, null>,
  name: string,
  emit: 'close' | 'updates',
): Instance {
  const { task } = step;
  const store = new WindowStore<K, State>(task.openStore(name), {
    key: keySerdeOf<K>(step.place),
    codec: stateCodec(aggregator, name),
    cacheEntries: task.cacheEntries,
    present: (state) => aggregator.result(state),
    limit: task.time,
    sizeMs: windower.sizeMs,
  });
  task.addState(store);
  const late = step.port<LateRecord<K, V>>('late');
  let current: StreamRecord<K, V> | undefined;
  const row = (pane: Pane<K, State>, onClose: boolean): void => {
    const { window } = pane;
    let value: R;
    try {
      if (pane.failure !== undefined) throw pane.failure;
      value = pane.state === undefined ? (null as R) : settled(aggregator.result(pane.state));
    } catch (error) {
      // The other rows of this moment must not be lost with this one.
      step.rowFailed(error, onClose ? unmade(pane, window, step.keySerde) : undefined);
      return;
    }
    const made = withWindow(current ?? END_OF_INPUT, pane.key, value, pane.timestamp, window);
    if (onClose) step.emitRow(pane.key, { ...made, headers: NO_HEADERS });
    else step.emitUpdate(made);
  };
  const state = new WindowedState<K, V, State>(windower, aggregator, store, {
    updated(pane) {
      if (emit === 'updates') row(pane, false);
    },
    closed(pane) {
      if (emit === 'close') row(pane, true);
    },
    late(missed, partial) {
      const record = current as StreamRecord<K, V>;
      const { streamTime } = store.time;
      const lateness: Lateness = { step: step.name, streamTime, reason: 'window closed', missed, partial };
      step.late(record, lateness);
      if (late.used) late.next({ ...record, late: lateness });
    },
  });
  const take = (record: StreamRecord<K | null, V | null>): void => {
    const { key, value } = record;
    if (key === null || value === null) {
      step.drop(key === null ? 'null key' : 'null value');
      return;
    }
    current = record as StreamRecord<K, V>;
    state.add(key as NonNullable<K>, current);
  };
  return {
    take: [take],
    advance() {
      current = undefined;
      state.advance();
    },
    closeAll() {
      current = undefined;
      state.closeAll();
    },
  };
}
