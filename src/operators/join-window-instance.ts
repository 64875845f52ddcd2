import type { Instance } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import type { JoinType } from '../joins/join-rules.ts';
import { type Pair, pairsOf, type Side, type Sides } from '../joins/window-join.ts';
import { settled } from '../options/promises.ts';
import {
  type Lateness,
  type LateRecord,
  makeRecord,
  NO_HEADERS,
  type StreamRecord,
  type WindowedRecord,
} from '../record.ts';
import type { WindowRow } from '../state/window-machine.ts';
import type { State } from './aggregation.ts';
import { withoutHeaders } from './derive.ts';
import type { WindowingPlan } from './windowing-plan.ts';
import { openWindowing } from './windowing-stores.ts';

type Row = StreamRecord<unknown, unknown>;

/** The origin of rows that no record caused. */
const NO_RECORD: Row = makeRecord<unknown, unknown>(null, null, 0, NO_HEADERS, '', 0, -1);

/** The user's function that makes the rows of a windowed join. */
export type CombineInWindow = (left: unknown, right: unknown, at: object) => unknown;

/** A checked windowed join, without its types. */
export interface WindowJoinPlan {
  readonly windowing: WindowingPlan<unknown, unknown>;
  readonly combine: CombineInWindow;
  readonly type: JoinType;
  /** Called with the side of a record before the record is folded; folding is synchronous. */
  readonly from: (side: Side) => void;
}

/**
 * A windowed join in one task. @param self - Whether the stream is joined with itself. @param ports - Where late
 * records go, by side.
 */
export function windowJoining(
  step: Step<WindowedRecord<unknown, unknown>>,
  { combine, from, type, windowing }: WindowJoinPlan,
  self: boolean,
  ports: Readonly<Record<Side, string>>,
): Instance {
  const { keySerde, task } = step;
  const late = {
    left: step.port<LateRecord<unknown, unknown>>(ports.left),
    right: step.port<LateRecord<unknown, unknown>>(ports.right),
  };
  /** The current record, and its side. */
  let current = NO_RECORD;
  let side: Side = 'left';

  const emit = ({ key, window }: WindowRow<unknown, State>, { left, right, timestamp }: Pair): void => {
    const at = { key, window, left: left?.timestamp ?? null, right: right?.timestamp ?? null };
    const [leftValue, rightValue] = [left?.value ?? null, right?.value ?? null];
    let value: unknown;
    try {
      value = settled(combine(leftValue, rightValue, at));
    } catch (error) {
      // A failed row must not lose the other rows of the same moment.
      const content = { left: leftValue, right: rightValue };
      step.rowFailed(error, { key, keySerde, window, timestamp, holds: 'state', content });
      return;
    }
    step.emitRow(key, withoutHeaders(current, key, value, timestamp, window));
  };

  const windows = openWindowing<unknown, unknown, unknown>(windowing, task, step.place, {
    updated: () => undefined,
    merged: () => undefined,
    outside: () => step.drop('in no window'),
    closed(row) {
      const { failure, key, state, timestamp, unread, window } = row;
      if (failure !== undefined) {
        step.rowFailed(failure, { key, keySerde, window, timestamp, holds: 'stored', content: unread });
      } else if (state !== undefined) for (const pair of pairsOf(state as Sides, type)) emit(row, pair);
    },
    late(missed, partial) {
      const { streamTime } = windows.time;
      const lateness: Lateness = { step: step.name, streamTime, reason: 'window closed', missed, partial };
      step.late(current, lateness);
      if (late[side].used) late[side].next({ ...current, late: lateness });
    },
  });
  task.addState(windows.store);

  const add = (of: Side, key: NonNullable<unknown>): void => {
    side = of;
    from(of);
    windows.add(key, current);
  };
  const take =
    (...sides: readonly Side[]) =>
    (record: Row): void => {
      const { key, value } = record;
      if (key === null || key === undefined) return step.drop('null key');
      if (value === null || value === undefined) return step.drop('null value');
      current = record;
      for (const each of sides) add(each, key);
    };
  return {
    take: self ? [take('left', 'right')] : [take('left'), take('right')],
    advance() {
      current = NO_RECORD;
      windows.advance();
    },
    idle: { time: windows.time, due: () => windows.nextClose },
    holds: () => windows.oldest,
    closeAll() {
      current = NO_RECORD;
      windows.closeAll();
    },
  };
}
