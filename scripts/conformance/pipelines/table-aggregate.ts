import { type Aggregator, json, regroup, string, topic, toStream } from 'millrace';
import { type Data, type Json, type Params, splitValue, textOf } from '../format.ts';
import { aggregatorOf } from './aggregators.ts';
import { type CasePipeline, catchRows } from './pipeline.ts';
import { historyIn, tableOf } from './stream-table-join.ts';

/** A table of `group:value`, aggregated by group. */
export function tableAggregate(params: Params): CasePipeline {
  const { input, rows } = tableOf('in', historyIn(params));
  const groups = topic('groups', { key: string(), value: json<Json>() });
  const totals = rows.pipe(
    regroup(groupOf, groups, ofTails(aggregatorOf(textOf(params, 'aggregate'))), { store: 'totals' }),
  );
  return { pipeline: catchRows(totals.pipe(toStream())), inputs: [input], store: 'totals' };
}

/** A row without a value is in no group. */
function groupOf(row: Json): string | null {
  const { head, tail } = splitValue(row);
  return tail === null ? null : head;
}

function ofTails(of: Aggregator<Data, unknown, Data, null>): Aggregator<Json, unknown, Data, null> {
  const tail = (row: Json): Data => splitValue(row).tail as Data;
  return {
    ...of,
    add: (state, row, record) => of.add(state, tail(row), record as never),
    remove: (state, row, record) => of.remove?.(state, tail(row), record as never) ?? null,
  };
}
