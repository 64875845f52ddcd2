import {
  agg,
  globalTable,
  joinTable,
  json,
  keyBy,
  mapValues,
  type Pipeline,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from '../index.ts';

/** Clicks per user and minute, with the names of users and countries: shuffle, window, table, global table, two sinks. */
export function clicksPipeline(): Pipeline {
  const clicks = topic('clicks', { value: json<{ user: string }>() });
  const byUser = topic('clicks-by-user', { key: string(), value: json<{ user: string }>() });
  const users = table('users', { key: string(), value: json<{ name: string }>() });
  const countries = globalTable('countries', { key: string(), value: json<{ name: string }>() });
  const raw = topic('raw', { value: json<{ user: string }>() });
  const report = topic('report', { key: string(), value: json<unknown>() });
  return clicks.pipe(
    to(raw),
    keyBy((click) => click.user),
    through(byUser),
    windowBy(tumbling({ size: '1m', grace: '10s' }), { clicks: agg.count() }, { store: 'clicks-per-minute' }),
    joinTable(users, ({ clicks: count }, { name }) => ({ count, name })),
    joinTable(countries, (row) => row, { key: ({ name }) => name }),
    mapValues((row) => row),
    to(report),
  );
}
