import { type Input, type Key, NotImplemented, type Params, type Row, textOf } from '../format.ts';
import type { Expected } from './expected.ts';

type Op = (row: Row) => Row[];

const isEven = ({ value }: Row): boolean => typeof value === 'number' && value % 2 === 0;
const isBig = ({ value }: Row): boolean => typeof value === 'number' && value > 5;
const newKey = ({ key, value }: Row): Key => (typeof value === 'number' ? `m${value % 3}` : key);
const flat = ({ value }: Row): Row['value'][] => {
  if (typeof value !== 'number') return [value];
  return [value, value + 1].slice(0, Math.max(0, value % 3));
};
const calculate =
  (change: (value: number) => number): Op =>
  (row) => [typeof row.value === 'number' ? { ...row, value: change(row.value) } : row];

const ops: Readonly<Record<string, Op>> = {
  'filter.even': (row) => (isEven(row) ? [row] : []),
  'filter.big': (row) => (isBig(row) ? [row] : []),
  'filterNot.even': (row) => (isEven(row) ? [] : [row]),
  'filterNot.big': (row) => (isBig(row) ? [] : [row]),
  'mapValues.double': calculate((value) => value + value),
  'mapValues.increment': calculate((value) => value + 1),
  'map.increment': (row) => calculate((value) => value + 1)({ ...row, key: newKey(row) }),
  selectKey: (row) => [{ ...row, key: newKey(row) }],
  flatMapValues: (row) => flat(row).map((value) => ({ ...row, value })),
  flatMap: (row) => flat(row).map((value, at) => ({ ...row, value, key: `f${at}` })),
  branch: (row) => [{ ...row, branch: isEven(row) ? 'even' : isBig(row) ? 'big' : 'rest' }],
  merge: (row) => [row],
};

/** Operations without state, one record at a time. A record of the topic `right` enters where it is merged. */
export function statelessModel(params: Params, inputs: readonly Input[]): Expected {
  const names = textOf(params, 'ops').split(',');
  const steps = inputs.map(({ key, timestamp, topic, value }): Row[] => {
    const entries = topic === 'right' ? names.flatMap((name, at) => (name === 'merge' ? [at] : [])) : [0];
    return entries.flatMap((from) =>
      names.slice(from).reduce<Row[]>((rows, name) => rows.flatMap(opOf(name)), [{ key, value, timestamp }]),
    );
  });
  return { steps, dropped: 0 };
}

function opOf(name: string): Op {
  const op = ops[name];
  if (op === undefined) throw new NotImplemented(`the operation ${name}`);
  return op;
}
