import { joinRows, type Table, toStream } from 'millrace';
import { type Data, type Json, type Key, NotImplemented, type Params, textOf } from '../format.ts';
import { type CasePipeline, catchRows } from './pipeline.ts';
import { historyIn, tableOf } from './stream-table-join.ts';

/** Two tables joined by their keys; those of `versioned` have a history. */
export function tableTableJoin(params: Params): CasePipeline {
  const versioned = 'versioned' in params ? textOf(params, 'versioned') : 'none';
  const side = (name: string) => tableOf(name, versioned === name || versioned === 'both' ? historyIn(params) : {});
  const [left, right] = [side('left'), side('right')];
  const rows = left.rows.pipe(pairsOf(right.rows, textOf(params, 'type')));
  return { pipeline: catchRows(rows.pipe(toStream())), inputs: [left.input, right.input], store: 'joined' };
}

function pairsOf(right: Table<Key, Json>, type: string): (left: Table<Key, Json>) => Table<Key, Data> {
  const store = 'joined';
  if (type === 'inner') return joinRows(right, (l, r): Data => [l, r], { store });
  if (type === 'left') return joinRows(right, (l, r): Data => [l, r], { store, type });
  if (type === 'outer') return joinRows(right, (l, r): Data => [l, r], { store, type });
  throw new NotImplemented(`join type ${type}`);
}
