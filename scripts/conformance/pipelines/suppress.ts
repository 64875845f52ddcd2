import {
  countByKey,
  type Duration,
  type StreamRecord,
  suppress,
  toStream,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { type Json, type Key, NotImplemented, numberOf, type Params, textOf } from '../format.ts';
import { aggregatorOf } from './aggregators.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';
import { tableOf } from './stream-table-join.ts';
import { windowerOf } from './windowed.ts';

/** Rows of a table, of a count, or of windows, held back. */
export function suppressed(params: Params): CasePipeline {
  const input = anyTopic('in');
  const bounds = 'maxRecords' in params ? { maxRecords: numberOf(params, 'maxRecords') } : {};
  const windows = (): Observable<WindowedRecord<string, Json>> =>
    input.pipe(
      windowBy(windowerOf(params), aggregatorOf(textOf(params, 'aggregate')), { store: 'windows', emit: 'updates' }),
    );
  const caught = (rows: Observable<StreamRecord<Key, Json>>): CasePipeline => ({
    pipeline: catchRows(rows, { windowed: true }),
    inputs: [input],
  });
  if (textOf(params, 'until') === 'close') {
    return caught(windows().pipe(suppress({ until: 'close', store: 'held', ...bounds })));
  }
  const until: Duration = `${numberOf(params, 'limit')}ms`;
  const full = 'full' in params && textOf(params, 'full') === 'emitEarly' ? 'emit' : 'stop';
  const held = { until, store: 'held', full, ...bounds } as const;
  switch (textOf(params, 'upstream')) {
    case 'table':
      return caught(tableOf('in').rows.pipe(toStream(), suppress(held)));
    case 'count':
      return caught(input.pipe(countByKey({ store: 'counts' }), suppress(held)));
    case 'windowed':
      return caught(windows().pipe(suppress(held)));
    default:
      throw new NotImplemented(`suppression of ${textOf(params, 'upstream')}`);
  }
}
