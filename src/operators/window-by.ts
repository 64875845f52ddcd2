import type { Observable, OperatorFunction } from 'rxjs';
import type { Aggregator, Spec } from '../aggregators/aggregator.ts';
import { checkNames, checkOneOf, type OptionNames } from '../option-checks.ts';
import { settled } from '../promises.ts';
import type { LateRecord, StreamRecord, WindowedRecord } from '../record.ts';
import { NO_HEADERS } from '../record.ts';
import { type Pane, WindowStore } from '../state/window-store.ts';
import { WindowedState } from '../state/windowed-state.ts';
import { operatorStream } from '../topology/operator.ts';
import { Stream, subscribeSilently } from '../topology/stream.ts';
import { type Windower, windowAt } from '../windows/windower.ts';
import { type AggregationResult, type State, stateCodec, toAggregator } from './aggregation.ts';
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
 * @public
 */
export function windowBy<K, V, A, R, S extends Spec<V>>(
  windower: Windower,
  aggregation: Aggregator<V, A, R> | S,
  options: WindowByOptions<K, V>,
): OperatorFunction<StreamRecord<K | null, V | null>, WindowedRecord<K, AggregationResult<V, R, S>>> {
  type Result = AggregationResult<V, R, S>;
  const aggregator = toAggregator<V, A, R, S>(aggregation);
  const step = 'windowBy';
  const name = checkStoreName(options?.store, step);
  checkNames(`windowBy(${name})`, options, WINDOW_BY_OPTIONS);
  const { emit = 'close' } = options;
  checkOneOf(`windowBy(${name})`, 'emit', emit, ['close', 'updates']);
  return (source) => {
    const owner = {};
    const lateRecords = options.late === undefined ? undefined : lateStream<K, V>(owner, name, () => windowed);
    const windowed: Stream<WindowedRecord<K, Result>> = operatorStream(source, {
      name: step,
      detail: name,
      needsKey: true,
      stores: [{ name, fingerprint: `${windower.fingerprint} ${aggregator.name}` }],
      ...(lateRecords === undefined ? {} : { roots: [(options.late as LateBranch<K, V>)(lateRecords)] }),
      create(out, task, place) {
        const codec = stateCodec(aggregator, name);
        const store = new WindowStore<K, State>(
          task.openStore(name),
          keySerdeOf<K>(place),
          codec,
          task.cacheEntries,
          (state, start) => ({ value: aggregator.result(state), window: windowAt(windower, start) }),
          task.time,
        );
        task.addState(store);
        const side = lateRecords === undefined ? undefined : task.sideOutput<LateRecord<K, V>>(owner);
        let current: StreamRecord<K, V> | undefined;
        const row = (pane: Pane<K, State>, start: number, onClose: boolean): void => {
          let value: Result;
          try {
            if (pane.failure !== undefined) throw pane.failure;
            value = pane.state === undefined ? (null as Result) : settled(aggregator.result(pane.state));
          } catch (error) {
            // The other rows of this moment must not be lost with this one.
            task.recordFailed(error, place.step);
            return;
          }
          const record = current ?? END_OF_INPUT;
          const made = withWindow(record, pane.key, value, pane.timestamp, windowAt(windower, start));
          // A step below must not take the key of this row for a changed one.
          const outer = task.rowKey;
          task.rowKey = pane.key;
          try {
            out.next(onClose ? { ...made, headers: NO_HEADERS } : made);
          } finally {
            task.rowKey = outer;
          }
        };
        const state = new WindowedState<K, V, State>(windower, aggregator, store, {
          updated(pane, start) {
            if (emit === 'updates') row(pane, start, false);
          },
          closed(pane, start) {
            if (emit === 'close') row(pane, start, true);
          },
          late(missed, partial) {
            const record = current as StreamRecord<K, V>;
            const lateness = {
              step: place.step,
              streamTime: store.time.streamTime,
              reason: 'window closed',
              missed,
              partial,
            } as const;
            task.late(record, lateness);
            side?.next({ ...record, late: lateness });
          },
        });
        task.addTimeFollower({
          depth: place.depth,
          advance() {
            current = undefined;
            state.advance();
          },
          closeAll() {
            current = undefined;
            state.closeAll();
          },
        });
        return (record) => {
          const { key, value } = record;
          if (key === null || value === null) {
            task.dropped(key === null ? 'null key' : 'null value', place.step);
            return;
          }
          current = record as StreamRecord<K, V>;
          state.add(key as NonNullable<K>, current);
        };
      },
    });
    return windowed;
  };
}

type LateBranch<K, V> = (late: Observable<LateRecord<K, V>>) => Observable<unknown>;

/** Where rows come from that no record caused. */
const END_OF_INPUT = { key: null, value: null, timestamp: 0, headers: NO_HEADERS, topic: '', partition: 0, offset: -1 };

/** The second way out of a window step. */
function lateStream<K, V>(owner: object, store: string, windowed: () => Stream<unknown>): Stream<LateRecord<K, V>> {
  return new Stream<LateRecord<K, V>>({
    kind: 'operator',
    name: 'late',
    detail: store,
    discover: () => subscribeSilently(windowed()),
    attach: (subscriber, task) => void task.sideOutput<LateRecord<K, V>>(owner).subscribe(subscriber),
  });
}
