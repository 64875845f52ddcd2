import { makeChange, makeRecord, type StreamRecord, type Window } from '../record.ts';
import type { HeldRecord } from '../state/held-record.ts';

/** A record that may have a window, or be a change. */
export type HoldableRow = StreamRecord<unknown, unknown, unknown> & {
  readonly window?: Window;
  readonly before?: unknown;
};

/** The part of a held-back record that is stored. */
export function heldOf(row: HoldableRow, until: number): HeldRecord {
  const { before, headers, offset, partition, timestamp, topic, value, window } = row;
  const held: HeldRecord = { until, value, timestamp, headers, topic, partition, offset };
  if (window === undefined && before === undefined) return held;
  return { ...held, ...(window === undefined ? {} : { window }), ...(before === undefined ? {} : { before }) };
}

/** Restores a held-back record as it arrived. */
export function rowOfHeld(key: unknown, held: HeldRecord): StreamRecord<unknown, unknown> & HoldableRow {
  const { before, headers, offset, partition, timestamp, topic, value, window } = held;
  if (before !== undefined) return makeChange<unknown, unknown>(key, value, before, timestamp, held);
  const record = makeRecord<unknown, unknown>(key, value, timestamp, headers, topic, partition, offset);
  return window === undefined ? record : { ...record, window };
}
