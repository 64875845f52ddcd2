import { aggregate } from 'millrace';
import { type Params, textOf } from '../format.ts';
import { aggregatorOf } from './aggregators.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';

export function unwindowed(params: Params): CasePipeline {
  const input = anyTopic('in');
  const totals = input.pipe(aggregate(aggregatorOf(textOf(params, 'aggregate')), { store: 'totals' }));
  return { pipeline: catchRows(totals), inputs: [input], store: 'totals' };
}
