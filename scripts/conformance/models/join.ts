import type { SidedRecord } from '../../../src/testing/models/join-stream.ts';
import { joinTableModel } from '../../../src/testing/models/join-table.ts';
import { type Data, type Input, type Json, type Key, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';

/** A stream joined with the latest rows of a table (JT-1, JT-2, TM-9). */
export function joinModel(params: Params, inputs: readonly Input[]): Expected {
  const sided = inputs.map((input) => ({ ...input, side: input.topic === 'table' ? 'right' : 'left' }));
  const type = textOf(params, 'type') === 'left' ? 'left' : 'inner';
  const { dropped, steps } = joinTableModel(
    { type },
    (value, row): Json => [value, row],
    sided as SidedRecord<string, Data, Data>[],
  );
  return { steps, dropped };
}

/** The row of a key: what was written last, null where that was a deletion or nothing. */
export function latestRow(earlier: readonly Input[], table: string, key: Key): Json {
  if (key === null) return null;
  return earlier.findLast((input) => input.topic === table && input.key === key)?.value ?? null;
}

export function joined(row: Row, right: Json, left: boolean): Row[] {
  return right === null && !left ? [] : [{ key: row.key, value: [row.value, right], timestamp: row.timestamp }];
}
