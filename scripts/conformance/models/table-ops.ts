import { type Input, type Json, NotImplemented, numberOf, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';
import { joinModel } from './join.ts';

/** A row that passes an operation, changed or not; null for one that does not. */
type Op = (row: number) => number | null;

const ops: Readonly<Record<string, Op>> = {
  'filter.even': (row) => (row % 2 === 0 ? row : null),
  'filter.big': (row) => (row > 5 ? row : null),
  'filterNot.even': (row) => (row % 2 === 0 ? null : row),
  'filterNot.big': (row) => (row > 5 ? null : row),
  'mapValues.double': (row) => row + row,
  'mapValues.increment': (row) => row + 1,
};

/** A table, and views of it (TT-3, TT-4): the row of a key is made of the last record of the key. */
export function tableOpsModel(params: Params, inputs: readonly Input[]): Expected {
  const names = textOf(params, 'ops');
  if ('historyRetention' in params) return versionedModel(params, inputs);
  const last = new Map<string, Input>();
  let dropped = 0;
  const steps = inputs.map((input): Row[] => {
    const { key, timestamp, value } = input;
    if (key === null) {
      dropped += 1;
      return [];
    }
    const before = viewed(names, last.get(key)?.value ?? null);
    last.set(key, input);
    const now = viewed(names, value);
    return now === null && before === null ? [] : [{ key, value: now, timestamp }];
  });
  const store = [...last].flatMap(([key, { timestamp, value }]): Row[] => {
    const row = viewed(names, value);
    return row === null ? [] : [{ key, value: row, timestamp }];
  });
  return { steps, dropped, ...(names === 'none' || params['materialized'] === true ? { store } : {}) };
}

/** A table with history: each record that is not older than that is a change; the newest by time is the row (SS-3, TT-3). */
function versionedModel(params: Params, inputs: readonly Input[]): Expected {
  const names = textOf(params, 'ops');
  const newest = new Map<string, Input>();
  const { steps, taken } = writesTaken(inputs, numberOf(params, 'historyRetention'));
  for (const input of taken) {
    const key = input.key as string;
    if (input.timestamp >= (newest.get(key)?.timestamp ?? -1)) newest.set(key, input);
  }
  const store = [...newest].flatMap(([key, { timestamp, value }]): Row[] => {
    const row = viewed(names, value);
    return row === null ? [] : [{ key, value: row, timestamp }];
  });
  return {
    steps: steps.map((made) =>
      made.map(({ key, timestamp, value }): Row => ({ key, value: viewed(names, value), timestamp })),
    ),
    dropped: inputs.length - taken.length,
    ...(names === 'none' || params['materialized'] === true ? { store } : {}),
  };
}

/** Which records a table with history takes, by step and in all. */
function writesTaken(
  inputs: readonly Input[],
  historyMs: number,
): { readonly steps: readonly (readonly Input[])[]; readonly taken: readonly Input[] } {
  let time = -1;
  const steps = inputs.map((input) => {
    if (input.key === null) return [];
    time = Math.max(time, input.timestamp);
    return input.timestamp < time - historyMs ? [] : [input];
  });
  return { steps, taken: steps.flat() };
}

/** A join with a view finds what the operations make of the row. */
export function viewJoinModel(params: Params, inputs: readonly Input[]): Expected {
  const names = textOf(params, 'ops');
  const view = (input: Input): Input => ({ ...input, value: viewed(names, input.value) });
  return joinModel(
    params,
    inputs.map((input) => (input.topic === 'table' ? view(input) : input)),
  );
}

function viewed(names: string, value: Json): Json {
  if (value === null || names === 'none') return value;
  let row: number | null = Number(value);
  for (const name of names.split(',')) {
    const op = ops[name];
    if (op === undefined) throw new NotImplemented(`the operation ${name} of a table`);
    row = row === null ? null : op(row);
  }
  return row;
}
