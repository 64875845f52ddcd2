import type { StoreUse } from '../dataflow/node.ts';
import type { Instance } from '../dataflow/operator.ts';
import type { Step } from '../dataflow/step.ts';
import { ConfigError } from '../errors.ts';
import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import type { StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { type HeldRecord, heldCodec } from '../state/held-record.ts';
import { rememberingKeys } from '../state/remembering-keys.ts';
import { freeNumber } from '../state/row-numbers.ts';
import { declareStore } from '../state/store-spec.ts';
import { TimedStore } from '../state/timed-store.ts';
import type { ValueCodec } from '../state/value-codec.ts';
import { Waiting } from '../state/waiting.ts';
import { type HoldableRow, heldOf } from './held-row.ts';
import { checkStoreName, keySerdeOf } from './keyed.ts';

/** How long records wait for their row, and where. */
export interface AsOfPlan {
  readonly name: string;
  readonly rows: string;
  readonly graceMs: number;
  readonly codec: ValueCodec<HeldRecord>;
  readonly stores: readonly StoreUse[];
}

/**
 * Checks the options of a join that waits for rows.
 *
 * @param historyMs - The history of the table.
 * @returns `undefined` for a join that does not wait.
 * @throws ConfigError `ERR_OPTION`, `ERR_STORE_NAME`, `ERR_DURATION`.
 */
export function planAsOf(
  where: string,
  { grace, store, value }: { readonly grace?: Duration; readonly store?: string; readonly value?: unknown },
  historyMs: number | undefined,
): AsOfPlan | undefined {
  if (grace === undefined) {
    const unused = store === undefined ? (value === undefined ? undefined : 'value') : 'store';
    if (unused === undefined) return undefined;
    throw new ConfigError('ERR_OPTION', `${where}: ${unused} is given, but nothing is kept`, {
      hint: 'records are kept where they wait for their row: give grace too',
    });
  }
  const graceMs = durationMs(grace, `${where}: grace`);
  if (historyMs === undefined || graceMs > historyMs) {
    const problem = historyMs === undefined ? 'has no history' : `has a history of ${formatMs(historyMs)}`;
    throw new ConfigError('ERR_OPTION', `${where}: records wait ${grace} for their row, and the table ${problem}`, {
      hint: "a row is looked up as it was at the time of the record: give the table at least as much history: { history: '1h' }",
    });
  }
  const name = checkStoreName(store, where);
  const rows = `${name}-records`;
  const codec = heldCodec(value as Serde<unknown> | undefined, rows);
  const fingerprint = `joinTable as ${(value as Serde<unknown> | undefined)?.name ?? 'msgpack'}`;
  const present = (held: HeldRecord): unknown => held.value;
  return {
    name,
    rows,
    graceMs,
    codec,
    stores: [
      { name, fingerprint: 'joinTable' },
      declareStore({ name: rows, kind: 'timed', key: 'upstream', value: codec, fingerprint, present }),
    ],
  };
}

/**
 * Holds records back until stream time is ahead of them by the grace, then joins them in order of time, key bytes and
 * arrival. A record that is already that old on arrival is joined at once.
 *
 * @param join - Joins a record with its row and passes the result to the given function.
 */
export function asOfInstance(
  step: Step<unknown>,
  { codec, graceMs, name, rows: rowsName }: AsOfPlan,
  join: (record: HoldableRow, emit: (row: StreamRecord<unknown, unknown>) => void) => void,
): Pick<Instance, 'advance' | 'closeAll' | 'holds' | 'idle'> & { readonly take: (record: HoldableRow) => void } {
  const { task } = step;
  const keys = rememberingKeys(keySerdeOf<unknown>(step.place));
  const rows = new TimedStore<unknown, HeldRecord>(
    task.openStore(rowsName),
    keys,
    codec,
    task.cacheEntries,
    (held) => held.value,
  );
  const waiting = new Waiting<unknown, 'waits'>(task.openStore(name), keys, step.time, task.cacheEntries, ['waits']);
  task.addState(rows);
  task.addState(waiting);
  const { time } = waiting;
  const due = waiting.part('waits');
  const now = (row: StreamRecord<unknown, unknown>): void => step.out.next(row);

  const release = (): void => {
    const until = time.streamTime - graceMs;
    for (const { key, time: timestamp } of due.take(until)) {
      const kept = { key, keySerde: step.keySerde, window: undefined, timestamp };
      let held: { readonly number: number; readonly value: HeldRecord }[] = [];
      try {
        held = [...rows.range(key, timestamp, timestamp)];
      } catch (error) {
        // Bytes that can no longer be decoded are reported as they are.
        for (const content of rows.stored(key, timestamp)) {
          step.rowFailed(error, { ...kept, holds: 'stored', content });
        }
      }
      rows.deleteAll(key, timestamp);
      for (const { value: record } of held) {
        try {
          join({ ...record, key }, (row) => step.emitRow(key, row));
        } catch (error) {
          step.rowFailed(error, { ...kept, window: record.window, holds: 'value', content: record.value });
        }
      }
    }
  };
  return {
    take(record) {
      const { key, timestamp } = record;
      if (key === null || timestamp <= time.reach(timestamp) - graceMs) {
        join(record, now);
        // Without grace this is always the case. The record may also be the first to advance time after the limit has
        // risen.
        if (key === null) return;
        time.observe(timestamp);
        release();
        return;
      }
      const held = heldOf(record, timestamp);
      const at = key as NonNullable<unknown>;
      rows.put(at, timestamp, held, freeNumber(rows, at, timestamp, [0]));
      due.add(timestamp, at);
      time.observe(timestamp);
      release();
    },
    advance() {
      if (time.advance()) release();
    },
    idle: { time, due: () => due.first + graceMs },
    holds: () => due.first,
    closeAll() {
      let last = -1;
      for (const row of due.all()) last = row.time;
      if (last < 0) return;
      time.moveTo(last + graceMs);
      release();
    },
  };
}
