import { aggregate, asTable, mapValues, toStream } from 'millrace';
import { type Json, type Params, textOf } from '../format.ts';
import { aggregatorOf } from './aggregators.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';

/** The table that an aggregate keeps: each change as the pair of the row before and the row now. */
export function aggregateTable(params: Params): CasePipeline {
  const input = anyTopic('in');
  const totals = asTable(input.pipe(aggregate(aggregatorOf(textOf(params, 'aggregate')), { store: 'totals' })));
  const pairs = totals.pipe(
    toStream(),
    mapValues((row, { before }): Json => [before, row]),
  );
  return { pipeline: catchRows(pairs), inputs: [input], store: 'totals' };
}
