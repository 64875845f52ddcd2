import type { Instance } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import { type JoinEvents, StreamJoin } from '../joins/stream-join.ts';
import { settled } from '../options/promises.ts';
import { type Lateness, type LateRecord, makeRecord, NO_HEADERS, type StreamRecord } from '../record.ts';
import { rememberingKeys } from '../state/remembering-keys.ts';
import { TimedStore } from '../state/timed-store.ts';
import { Waiting } from '../state/waiting.ts';
import type { JoinPlan, RowsPlan } from './join-stream-plan.ts';
import { keySerdeOf } from './keyed.ts';

type Row = StreamRecord<unknown, unknown>;
type Key = NonNullable<unknown>;

/** The origin of rows that no record caused. */
const NO_RECORD: Row = makeRecord<unknown, unknown>(null, null, 0, NO_HEADERS, '', 0, -1);

/** A join of two streams, or of a stream with itself, in one task. @param ports - Where late records go, by side. */
export function joiningInstance<K, W>(
  step: Step<StreamRecord<K, W>>,
  { both, combine, left, name, right, rules }: JoinPlan<W>,
  self: boolean,
  ports: { readonly left: string; readonly right: string },
): Instance {
  const { task } = step;
  const { cacheEntries } = task;
  // One record needs its key bytes several times.
  const keys = rememberingKeys(keySerdeOf<unknown>(step.place));
  const open = (rows: RowsPlan): TimedStore<unknown, unknown> => {
    const store = new TimedStore<unknown, unknown>(task.openStore(rows.name), keys, rows.codec, cacheEntries);
    task.addState(store);
    return store;
  };
  const due = new Waiting<unknown, 'left' | 'right'>(task.openStore(name), keys, step.time, cacheEntries, [
    'left',
    'right',
  ]);
  task.addState(due);
  const [leftRows, rightRows] = self ? [open(both), undefined] : [open(left), open(right)];
  const late = {
    left: step.port<LateRecord<unknown, unknown>>(ports.left),
    right: step.port<LateRecord<unknown, unknown>>(ports.right),
  };
  /** The current record. */
  let current = NO_RECORD;
  const rowOf = (key: unknown, value: W, timestamp: number, headers: Row['headers']): StreamRecord<K, W> => {
    const { offset, partition, topic } = current;
    return makeRecord(key as K, value, timestamp, headers, topic, partition, offset);
  };
  const events: JoinEvents<unknown, W> = {
    combine: (key, l, r, leftTime, rightTime) =>
      settled(combine(l, r, { key, left: leftTime ?? null, right: rightTime ?? null })),
    matched: (key, value, timestamp) => step.emitUpdate(rowOf(key, value, timestamp, current.headers)),
    alone: (key, value, timestamp) => step.emitRow(key, rowOf(key, value, timestamp, NO_HEADERS)),
    aloneFailed(error, key, timestamp, value, stored) {
      const kept = { key, keySerde: step.keySerde, window: undefined, timestamp };
      step.rowFailed(
        error,
        stored === undefined
          ? { ...kept, holds: 'state', content: value }
          : { ...kept, holds: 'stored', content: stored },
      );
    },
    late(side, start, end) {
      const streamTime = due.time.reach(current.timestamp);
      const missed = [{ start, end }];
      const lateness: Lateness = { step: step.name, streamTime, reason: 'window closed', missed, partial: false };
      step.late(current, lateness);
      if (late[side].used) late[side].next({ ...current, late: lateness });
    },
  };
  const join = new StreamJoin<unknown, W>(rules, leftRows, rightRows ?? leftRows, due, events);
  const take =
    (add: (key: Key, value: unknown, timestamp: number) => void, alone: (record: Row) => void) =>
    (record: Row): void => {
      const { key, timestamp, value } = record;
      if (value === null || value === undefined) {
        step.drop('null value');
        return;
      }
      current = record;
      if (key === null || key === undefined) alone(record);
      else add(key, value, timestamp);
    };
  /** A record without a key has no partner. */
  const alone =
    (pads: boolean, sidesOf: (value: unknown) => [unknown, unknown, object]) =>
    ({ headers, timestamp, value }: Row): void => {
      if (!pads) {
        step.drop('null key');
        return;
      }
      const [l, r, times] = sidesOf(value);
      step.out.next(rowOf(null, settled(combine(l, r, { key: null, ...times })), timestamp, headers));
    };
  const aloneLeft = alone(rules.type !== 'inner', (value) => [value, null, { left: current.timestamp, right: null }]);
  const aloneRight = alone(rules.type === 'outer', (value) => [null, value, { left: null, right: current.timestamp }]);
  const takes = self
    ? [
        take(
          (key, value, timestamp) => join.addBoth(key, value, timestamp),
          (record) => {
            aloneLeft(record);
            if (rules.type === 'outer') aloneRight(record);
          },
        ),
      ]
    : [
        take((key, value, timestamp) => join.addLeft(key, value, timestamp), aloneLeft),
        take((key, value, timestamp) => join.addRight(key, value, timestamp), aloneRight),
      ];
  return {
    take: takes,
    advance() {
      current = NO_RECORD;
      join.advance();
    },
    idle: { time: join.time, due: () => join.nextAlone },
    // The row of a record without a partner has the record's time.
    holds: () => join.oldestAlone,
    closeAll() {
      current = NO_RECORD;
      join.closeAll();
    },
  };
}
