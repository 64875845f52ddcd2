import { globalTable, joinTable, json, nullable, string } from 'millrace';
import { type Data, type Json, NotImplemented, type Params, splitValue, textOf } from '../format.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';

export function streamGlobalJoin(params: Params): CasePipeline {
  const stream = anyTopic('stream');
  const input = anyTopic('table');
  const rows = globalTable('table', { key: nullable(string()), value: nullable(json<Data>()) });
  const byValue = textOf(params, 'mapper') === 'value';
  const type = textOf(params, 'type');
  const inputs = [stream, input];
  if (type === 'inner') {
    const pipeline = stream.pipe(
      joinTable(rows, (left: Json, right: Json): Json => [left, right], {
        key: (value, { key }) => (byValue ? splitValue(value).head : key),
      }),
    );
    return { pipeline: catchRows(pipeline), inputs };
  }
  if (type !== 'left') throw new NotImplemented(`join type ${type}`);
  const pipeline = stream.pipe(
    joinTable(rows, (left: Json, right: Json): Json => [left, right], {
      type,
      key: (value, { key }) => (byValue ? splitValue(value).head : key),
    }),
  );
  return { pipeline: catchRows(pipeline), inputs };
}
