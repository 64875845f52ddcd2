import { agg, json, keyBy, mapValues, nullable, string, through, topic, tumbling, windowBy } from 'millrace';
import { type Data, type Json, numberOf, type Params, splitValue } from '../format.ts';
import { anyTopic, type CasePipeline, catchRows } from './pipeline.ts';
import { pairs, tableOf } from './stream-table-join.ts';

export function repartitionChain(params: Params): CasePipeline {
  const events = anyTopic('events');
  const byUser = topic('events-by-user', { key: string(), value: nullable(json<Data>()) });
  const { rows: names, input } = tableOf('names');
  const windower = tumbling({ size: `${numberOf(params, 'size')}ms`, grace: `${numberOf(params, 'grace')}ms` });
  const joined = events.pipe(
    keyBy((event) => splitValue(event).head),
    through(byUser),
    windowBy(windower, agg.count(), { store: 'counts', emit: 'updates' }),
    mapValues((count, { window }): Json => [window.start, count]),
    pairs(names, params),
  );
  return { pipeline: catchRows(joined), inputs: [events, input] };
}
