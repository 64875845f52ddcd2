import { asTable, filterRows, mapRows, type Table, toStream } from 'millrace';
import { type Json, type Key, NotImplemented, type Params, textOf } from '../format.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';
import { historyIn, tableOf } from './stream-table-join.ts';

export type Rows = Table<Key, Json>;

/** A table of the topic `in`, views on it, and their changes as rows. */
export function tableOps(params: Params): CasePipeline {
  const input = anyTopic('in');
  const history = historyIn(params);
  const source: Rows =
    textOf(params, 'source') === 'table' ? tableOf('in', history).rows : asTable(input, { store: 'in', ...history });
  const { rows, store } = withViews(source, params);
  const changes = rows.pipe(toStream());
  return { pipeline: catchRows(changes), inputs: [input], ...(store === undefined ? {} : { store }) };
}

/** The views that the operations make of a table, and the store that keeps their rows, if one does. */
export function withViews(source: Rows, params: Params): { readonly rows: Rows; readonly store?: string } {
  const ops = textOf(params, 'ops');
  if (ops === 'none') return { rows: source, store: 'in' };
  const kept = params['materialized'] === true;
  let rows = source;
  let store = '';
  for (const [at, op] of ops.split(',').entries()) {
    store = `after-${at + 1}`;
    rows = apply(op, rows, kept ? { store } : {});
  }
  return { rows, ...(kept ? { store } : {}) };
}

function apply(op: string, rows: Rows, options: { readonly store?: string }): Rows {
  switch (op) {
    case 'filter.even':
      return rows.pipe(filterRows((row) => Number(row) % 2 === 0, options));
    case 'filter.big':
      return rows.pipe(filterRows((row) => Number(row) > 5, options));
    case 'filterNot.even':
      return rows.pipe(filterRows((row) => Number(row) % 2 !== 0, options));
    case 'filterNot.big':
      return rows.pipe(filterRows((row) => Number(row) <= 5, options));
    case 'mapValues.double':
      return rows.pipe(mapRows((row) => Number(row) * 2, options));
    case 'mapValues.increment':
      return rows.pipe(mapRows((row) => Number(row) + 1, options));
    default:
      throw new NotImplemented(`the operation ${op} of a table`);
  }
}
