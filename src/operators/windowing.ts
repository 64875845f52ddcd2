import type { KeptRow } from '../dataflow/emitted-row.ts';
import type { Instance } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import { settled } from '../options/promises.ts';
import type { Lateness, LateRecord, StreamRecord, WindowedRecord } from '../record.ts';
import { NO_HEADERS } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { WindowRow } from '../state/window-machine.ts';
import type { State } from './aggregation.ts';
import { withoutHeaders, withWindow } from './derive.ts';
import { IntervalTimer } from './process-intervals.ts';
import type { WindowingPlan } from './windowing-plan.ts';
import { openChanges, openWindowing } from './windowing-stores.ts';

/** The origin of rows that no record caused. */
const NO_RECORD = { key: null, value: null, timestamp: 0, headers: NO_HEADERS, topic: '', partition: 0, offset: -1 };

const NEVER = Number.POSITIVE_INFINITY;

/** The row of a window whose value could not be computed. */
function unmade(row: WindowRow<unknown, State>, keySerde: Serde<unknown> | undefined): KeptRow {
  const { key, state, timestamp, unread, window } = row;
  const rest = { key, keySerde, window, timestamp };
  return unread === undefined
    ? { ...rest, holds: 'state', content: state ?? null }
    : { ...rest, holds: 'stored', content: unread };
}

/**
 * The windows of one task: turns the results of the window rules into rows.
 *
 * @param inputs - How many streams are aggregated together.
 * @param from - Called with the index of the record's stream before each record.
 */
export function windowing<K, V, R>(
  step: Step<WindowedRecord<K, R>>,
  plan: WindowingPlan<V, R>,
  inputs: number = 1,
  from?: (input: number) => void,
): Instance {
  const { aggregator, emit, everyMs } = plan;
  const { place, task } = step;
  const late = step.port<LateRecord<K, V>>('late');
  const changes = emit === 'every' ? openChanges<K, V, R>(plan, task, place) : undefined;
  let current: StreamRecord<K, V> | undefined;

  const emitRow = (row: WindowRow<K, State>, kept: boolean): void => {
    let value: R;
    try {
      if (row.failure !== undefined) throw row.failure;
      value = row.state === undefined ? (null as R) : settled(aggregator.result(row.state));
    } catch (error) {
      // A failed row must not lose the other rows of the same moment.
      step.rowFailed(error, kept ? unmade(row, step.keySerde) : undefined);
      return;
    }
    const { key, timestamp, window } = row;
    if (kept) step.emitRow(key, withoutHeaders(current ?? NO_RECORD, key, value, timestamp, window));
    else step.emitUpdate(withWindow(current ?? NO_RECORD, key, value, timestamp, window));
  };
  const emitGone = ({ key, timestamp, window }: Omit<WindowRow<K, State>, 'state'>, kept: boolean): void =>
    emitRow({ key, window, state: undefined, timestamp }, kept);

  const windows = openWindowing<K, V, R>(plan, task, place, {
    updated(row) {
      if (emit === 'updates') emitRow(row, false);
      else if (row.state === undefined) changes?.gone(row.key, row.window, row.timestamp);
      else changes?.changed(row.key, row.window);
    },
    merged(row) {
      if (emit === 'updates') emitGone(row, false);
      else changes?.gone(row.key, row.window, row.timestamp);
    },
    closed(row) {
      if (emit === 'updates') return;
      changes?.closed(row.key, row.window);
      emitRow(row, true);
    },
    outside: () => step.drop('in no window'),
    late(missed, partial) {
      const record = current as StreamRecord<K, V>;
      const { streamTime } = windows.time;
      const lateness: Lateness = { step: step.name, streamTime, reason: 'window closed', missed, partial };
      step.late(record, lateness);
      if (late.used) late.next({ ...record, late: lateness });
    },
  });
  task.addState(windows.store);
  if (changes !== undefined) task.addState(changes);

  const interval =
    changes === undefined ? undefined : new IntervalTimer('every', 'stream-time', everyMs, windows.time.streamTime);
  /** Emits the changed windows if stream time has reached the next multiple of the interval. */
  const tick = (): void => {
    if (interval === undefined || windows.time.streamTime < interval.next) return;
    interval.called(windows.time.streamTime);
    emitChanges();
  };
  const emitChanges = (): void => {
    const waiting = changes?.take() ?? [];
    // Deletions first: the session that a deleted one was merged into follows.
    for (const each of waiting) if (each.gone) emitGone(each, true);
    for (const { gone, key, window } of waiting) {
      const row = gone ? undefined : windows.read(key, window);
      if (row !== undefined) emitRow(row, true);
    }
  };

  const takeFrom =
    (input: number) =>
    (record: StreamRecord<K | null, V | null>): void => {
      const { key, value } = record;
      if (key === null || value === null) {
        step.drop(key === null ? 'null key' : 'null value');
        return;
      }
      current = record as StreamRecord<K, V>;
      from?.(input);
      windows.add(key as NonNullable<K>, current);
      if (interval !== undefined) tick();
    };
  return {
    take: Array.from({ length: inputs }, (_, input) => takeFrom(input)),
    advance() {
      current = undefined;
      windows.advance();
      tick();
    },
    idle: {
      time: windows.time,
      due: () => Math.min(windows.nextClose, changes?.waits === true ? (interval as IntervalTimer).next : NEVER),
    },
    holds() {
      // A record may retract the row of an open session.
      if (emit === 'updates') return plan.windower.kind === 'session' ? windows.oldest : Number.POSITIVE_INFINITY;
      if (interval === undefined || changes === undefined) return windows.oldest;
      // Windows that have changed since the last multiple of the interval are newer than that multiple.
      const since = changes.waits ? interval.next - everyMs : Number.POSITIVE_INFINITY;
      return Math.min(windows.oldest, changes.oldestGone, since);
    },
    closeAll() {
      current = undefined;
      windows.closeAll();
      emitChanges();
    },
  };
}
