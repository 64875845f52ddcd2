import { type Duration, joinTable, json, nullable, type StreamRecord, string, type Table, table } from 'millrace';
import type { Observable, OperatorFunction } from 'rxjs';
import { type Data, type Json, type Key, NotImplemented, numberOf, type Params, textOf } from '../format.ts';
import { type AnyTopic, anyTopic, type CasePipeline, catchRows } from './pipeline.ts';

export function streamTableJoin(params: Params): CasePipeline {
  const stream = anyTopic('stream');
  const { rows, input } = tableOf('table', historyIn(params));
  return { pipeline: catchRows(stream.pipe(pairs(rows, params))), inputs: [stream, input] };
}

interface History {
  readonly history?: Duration;
}

/** How far back a table keeps versions, if it does. */
export function historyIn(params: Params): History {
  return 'historyRetention' in params ? { history: `${numberOf(params, 'historyRetention')}ms` } : {};
}

/** A table, and the topic to write its rows to. */
export function tableOf(
  name: string,
  history: History = {},
): { readonly rows: Table<Key, Json>; readonly input: AnyTopic } {
  return {
    rows: table(name, { key: nullable(string()), value: nullable(json<Data>()), ...history }),
    input: anyTopic(name),
  };
}

/** The join that makes `[left, right]`. */
export function pairs(
  rows: Table<Key, Json>,
  params: Params,
): OperatorFunction<StreamRecord<Key, Json>, StreamRecord<Key, Json>> {
  const type = textOf(params, 'type');
  const waits =
    'grace' in params && 'historyRetention' in params
      ? ({ grace: `${numberOf(params, 'grace')}ms`, store: 'waiting' } as const)
      : {};
  return (source: Observable<StreamRecord<Key, Json>>) => {
    if (type === 'inner') return source.pipe(joinTable(rows, (left, right): Json => [left, right], waits));
    if (type === 'left') return source.pipe(joinTable(rows, (left, right): Json => [left, right], { type, ...waits }));
    throw new NotImplemented(`join type ${type}`);
  };
}
