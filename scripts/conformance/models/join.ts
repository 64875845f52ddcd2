import { type Input, type Json, type Key, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';

/** A stream joined with the latest rows of a table (JT-1, JT-2, TM-9). */
export function joinModel(params: Params, inputs: readonly Input[]): Expected {
  const left = textOf(params, 'type') === 'left';
  let dropped = 0;
  const steps = inputs.map(({ key, timestamp, topic, value }, at): Row[] => {
    if (topic === 'table') {
      if (key === null) dropped += 1;
      return [];
    }
    if (value === null || (key === null && !left)) {
      dropped += 1;
      return [];
    }
    return joined({ key, value, timestamp }, latestRow(inputs.slice(0, at), 'table', key), left);
  });
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
