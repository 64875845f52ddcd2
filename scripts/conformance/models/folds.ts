import { type Data, type Json, NotImplemented } from '../format.ts';

/** An aggregate function in plain code; `undefined` stands for no aggregate yet. Null deletes it. */
type Fold = (aggregate: Json | undefined, value: Data) => Json;

const folds: Readonly<Record<string, Fold>> = {
  count: (aggregate = 0) => Number(aggregate) + 1,
  sum: (aggregate = 0, value) => Number(aggregate) + Number(value),
  concat: (aggregate = '0', value) => `${String(aggregate)}+${String(value)}`,
  concatDelete: (aggregate = '0', value) => (value === 'X' ? null : `${String(aggregate)}+${String(value)}`),
  // Values of a cogroup come with the sign of their input.
  cogroup: (aggregate = '0', value) => (value === '/X' ? null : `${String(aggregate)}${String(value)}`),
  reduce: (aggregate, value) => (aggregate === undefined ? value : `${String(aggregate)}+${String(value)}`),
};

export function foldOf(name: string): Fold {
  const fold = folds[name];
  if (fold === undefined) throw new NotImplemented(`the aggregate ${name}`);
  return fold;
}

interface Folded {
  readonly value: Json;
  readonly timestamp: number;
}

/** Folds values in order of arrival, always from the first one on. `value` is null where the last one deleted it. */
export function foldAll(fold: Fold, arrivals: readonly { readonly value: Data; readonly timestamp: number }[]): Folded {
  let aggregate: Json | undefined;
  let highest = -1;
  let folded: Folded = { value: null, timestamp: -1 };
  for (const { value, timestamp } of arrivals) {
    highest = Math.max(highest, timestamp);
    const next = fold(aggregate, value);
    folded = { value: next, timestamp: highest };
    aggregate = next ?? undefined;
    if (next === null) highest = -1;
  }
  return folded;
}

/** What joins two aggregates of sessions, the first of which may be the initial one. */
export function mergeOf(name: string): (left: Json | undefined, right: Json) => Json {
  if (name === 'count' || name === 'sum') return (left = 0, right) => Number(left) + Number(right);
  if (name === 'reduce') return (left, right) => (left === undefined ? right : `${String(left)}+${String(right)}`);
  return (left = '0', right) => `${String(left)}&${String(right)}`;
}
