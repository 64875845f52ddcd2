import { type Input, type Json, type Params, type Row, splitValue, textOf } from '../format.ts';
import type { Expected } from './expected.ts';

/** A table joined with one whose keys its rows name (FK-1 to FK-6). */
export function foreignJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const isLeft = textOf(params, 'type') === 'left';
  const lefts = new Map<string, Json>();
  const rights = new Map<string, Input>();
  const rows = new Map<string, Row>();
  let dropped = 0;
  const pair = (left: Json, right: Json): Json => (right === null && !isLeft ? null : [left, right]);
  const keyOf = (left: Json): string | null => splitValue(left).head;

  /** What comes of a left row: `undefined` for nothing at all. */
  const leftChanged = (before: Json, { timestamp, value }: Input): Omit<Row, 'key'> | undefined => {
    const [from, to] = [keyOf(before), keyOf(value)];
    const at = (other: string | null): number => Math.max(timestamp, rights.get(other ?? '')?.timestamp ?? -1);
    if (value === null) {
      if (before === null || (!isLeft && from === null)) return undefined;
      return { value: null, timestamp: isLeft ? timestamp : at(from) };
    }
    if (to === null) {
      if (isLeft) return { value: [value, null], timestamp };
      return from === null ? undefined : { value: null, timestamp: at(from) };
    }
    const right = rights.get(to)?.value ?? null;
    if (right === null && !isLeft && (from === null || from === to)) return undefined;
    return { value: pair(value, right), timestamp: at(to) };
  };

  const steps = inputs.map((input): Row[] => {
    const { key, timestamp, topic, value } = input;
    if (key === null) {
      dropped += 1;
      return [];
    }
    if (topic === 'right') {
      if (value === null) rights.delete(key);
      else rights.set(key, input);
      const made = [...lefts].flatMap(([left, row]): Row[] =>
        keyOf(row) === key ? [{ key: left, value: pair(row, value), timestamp }] : [],
      );
      return made.map((row) => keep(rows, row));
    }
    const made = leftChanged(lefts.get(key) ?? null, input);
    if (value === null) lefts.delete(key);
    else lefts.set(key, value);
    return made === undefined ? [] : [keep(rows, { key, ...made })];
  });
  return { steps, dropped, store: [...rows.values()] };
}

function keep(rows: Map<string, Row>, row: Row): Row {
  const key = row.key as string;
  if (row.value === null) rows.delete(key);
  else rows.set(key, row);
  return row;
}
