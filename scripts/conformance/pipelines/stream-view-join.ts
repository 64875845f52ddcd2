import type { Params } from '../format.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';
import { pairs, tableOf } from './stream-table-join.ts';
import { withViews } from './table-ops.ts';

/** A stream joined with a view of a table. */
export function streamViewJoin(params: Params): CasePipeline {
  const stream = anyTopic('stream');
  const { input, rows } = tableOf('table');
  return { pipeline: catchRows(stream.pipe(pairs(withViews(rows, params).rows, params))), inputs: [stream, input] };
}
