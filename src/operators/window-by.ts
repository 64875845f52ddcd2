import type { Observable, OperatorFunction } from 'rxjs';
import type { Aggregator, Spec } from '../aggregators/aggregator.ts';
import { node } from '../dataflow/operator.ts';
import { checkNames, type OptionNames } from '../options/option-checks.ts';
import type { LateRecord, StreamRecord, WindowedRecord } from '../record.ts';
import { closesAfterMs } from '../windows/closes-after.ts';
import type { SessionWindower, Windower } from '../windows/windower.ts';
import { type AggregationDeletes, type AggregationResult, type State, toAggregator } from './aggregation.ts';
import { checkStoreName } from './keyed.ts';
import { windowing } from './windowing.ts';
import { endsByTime, planWindowing, rowsWait, type WindowEmit } from './windowing-plan.ts';
import { windowingStores } from './windowing-stores.ts';

/** @public */
export interface WindowByOptions<K, V> {
  /** Name of the state store, unique in a pipeline. It identifies the state: keep it when the pipeline changes. */
  readonly store: string;
  /**
   * `close` (default): one row per window, when it closes. `updates`: a row for each record and window. `{ every }`: at
   * each multiple of that duration in stream time, a row for each open window that has changed since its last row, and
   * one when it closes.
   */
  readonly emit?: WindowEmit;
  /**
   * What to do with late records besides counting them: a separate pipeline in the same stage, such as `(late) =>
   * late.pipe(to(lateClicks))`. It gets one record per late arrival; the field `late` says which windows the record
   * missed.
   */
  readonly late?: (late: Observable<LateRecord<K, V>>) => Observable<unknown>;
}

const WINDOW_BY_OPTIONS: OptionNames<WindowByOptions<never, never>> = { store: true, emit: true, late: true };

/**
 * `null` if rows can be deletions: with `updates` or `{ every }`, when the aggregator deletes, or when a session is
 * merged into another one.
 *
 * @public
 */
export type UpdateDeletes<E, W, D> = E extends 'close' ? never : D | (W extends SessionWindower ? null : never);

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
 * A window closes when stream time (the highest timestamp that this operator has seen in its task) reaches its end plus
 * the grace period; windows that include their end, {@link sliding} and {@link session}, close when stream time passes
 * that point. Windows that close together are emitted in order of start, then of key bytes; sessions in order of last
 * record, first record and key bytes. A record for a closed window is late: it is counted, and goes to `late` if that
 * is given. Null keys and null values are dropped and counted, and do not advance stream time.
 *
 * With `emit: 'updates'` and `{ every }`, a session that is merged into another one is announced by a row with a null
 * value.
 *
 * No clock is read: without further records, open windows stay open. Open windows and stream time are kept in the store
 * and survive restarts. When a bounded run ends they stay there, unless the run closes windows.
 *
 * @param windower - Which windows a timestamp falls in, and when they close: {@link tumbling}, {@link hopping},
 * {@link sliding}, {@link session}, {@link unlimited}.
 * @param aggregation - One aggregator, or several by name that share one store.
 * @param options - `store` is required.
 * @returns Records with the same key, the result as value, `window`, and the highest timestamp of the window's records.
 * Rows emitted on close and at intervals have no headers; rows emitted on update have those of the record that caused
 * them.
 * @throws ConfigError `ERR_STORE_NAME`, `ERR_OPTION`, `ERR_AGGREGATION`; when planned `ERR_KEY_CHANGED`, `ERR_NO_KEY`, `ERR_DUPLICATE_STORE`.
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
  E extends WindowEmit = 'close',
  W extends Windower = Windower,
>(
  windower: W,
  aggregation: Aggregator<V, A, R, D> | S,
  options: WindowByOptions<K, V> & { readonly emit?: E },
): OperatorFunction<
  StreamRecord<K | null, V | null>,
  WindowedRecord<K, AggregationResult<V, R, S> | UpdateDeletes<E, W, AggregationDeletes<V, D, S>>>
> {
  type Result = AggregationResult<V, R, S> | UpdateDeletes<E, W, AggregationDeletes<V, D, S>>;
  const aggregator: Aggregator<V, State, Result, null> = toAggregator<V, A, R, S>(aggregation);
  const step = 'windowBy';
  checkNames(step, options ?? {}, WINDOW_BY_OPTIONS);
  const name = checkStoreName(options?.store, step);
  const { late } = options;
  const plan = planWindowing<V, Result>(step, name, windower, aggregator, options.emit);
  return (source) =>
    node<StreamRecord<K | null, V | null>, WindowedRecord<K, Result>>([source], {
      name: step,
      detail: name,
      keepsTime: true,
      mayBeLate: endsByTime(plan),
      waits: rowsWait(plan),
      needsKey: true,
      closesAfterMs: closesAfterMs(windower),
      stores: windowingStores(plan),
      ports: ['late'],
      ...(late === undefined ? {} : { roots: (port) => [late(port<LateRecord<K, V>>('late'))] }),
      create: (at) => windowing<K, V, Result>(at, plan),
    });
}
