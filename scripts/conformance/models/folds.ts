import type { ModelFold } from '../../../src/testing/models/model.ts';
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

function foldOf(name: string): Fold {
  const fold = folds[name];
  if (fold === undefined) throw new NotImplemented(`the aggregate ${name}`);
  return fold;
}

/** What joins two aggregates of sessions, the first of which may be the initial one. */
function mergeOf(name: string): (left: Json | undefined, right: Json) => Json {
  if (name === 'count' || name === 'sum') return (left = 0, right) => Number(left) + Number(right);
  if (name === 'reduce') return (left, right) => (left === undefined ? right : `${String(left)}+${String(right)}`);
  return (left = '0', right) => `${String(left)}&${String(right)}`;
}

/** A fold of the vectors as the models of users take it. */
export function modelFold(name: string): ModelFold<Data, Json | undefined, Json> {
  const [fold, merge] = [foldOf(name), mergeOf(name)];
  return {
    init: () => undefined,
    add: (state, value) => fold(state, value),
    merge: (left, right) => merge(left, right as Json),
    result: (state) => state as Json,
  };
}
