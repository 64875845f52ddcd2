import type { Input, Json, Params, Row } from '../format.ts';
import { aggregateModel } from './aggregate.ts';
import type { Expected } from './expected.ts';

/** The rows of an aggregate as changes of a table: with the row before, and no tombstone for what was not there (TT-3). */
export function aggregateTableModel(params: Params, inputs: readonly Input[]): Expected {
  const { steps, ...rest } = aggregateModel(params, inputs);
  const rows = new Map<string | null, Json>();
  const change = (row: Row): Row[] => {
    const before = rows.get(row.key) ?? null;
    rows.set(row.key, row.value);
    return before === null && row.value === null ? [] : [{ ...row, value: [before, row.value] }];
  };
  return { ...rest, steps: steps.map((made) => made.flatMap(change)) };
}
