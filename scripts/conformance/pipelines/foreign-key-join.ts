import { joinRows, type Table, toStream } from 'millrace';
import { type Data, type Json, type Key, NotImplemented, type Params, splitValue, textOf } from '../format.ts';
import { type CasePipeline, catchRows } from './pipeline.ts';
import { tableOf } from './stream-table-join.ts';

/** A table of `fk:data`, joined with the table of those keys. */
export function foreignKeyJoin(params: Params): CasePipeline {
  const [left, right] = [tableOf('left'), tableOf('right')];
  const rows = left.rows.pipe(pairsOf(right.rows, textOf(params, 'type')));
  return { pipeline: catchRows(rows.pipe(toStream())), inputs: [left.input, right.input], store: 'joined' };
}

function pairsOf(right: Table<Key, Json>, type: string): (left: Table<Key, Json>) => Table<Key, Data> {
  const store = 'joined';
  const key = (row: Json): Key => splitValue(row).head;
  if (type === 'inner') return joinRows(right, (l, r): Data => [l, r], { store, key });
  if (type === 'left') return joinRows(right, (l, r): Data => [l, r], { store, key, type });
  throw new NotImplemented(`join type ${type}`);
}
