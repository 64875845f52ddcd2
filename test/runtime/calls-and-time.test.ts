import {
  agg,
  asTable,
  connect,
  filterValues,
  joinLookup,
  joinStream,
  json,
  keyBy,
  mapAsync,
  mapValues,
  memoryTransport,
  run,
  type StreamRecord,
  string,
  suppress,
  through,
  to,
  topic,
  toStream,
  tumbling,
  union,
  windowBy,
} from 'millrace';
import type { Observable, OperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { randomNumbers } from '../random.ts';

const source = topic('source', { key: string(), value: json<number>() });
const other = topic('other', { key: string(), value: json<number>() });
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const output = topic('output', { key: string(), value: json<unknown>() });

type Numbers = StreamRecord<string, number>;
type Calls = OperatorFunction<Numbers, Numbers>;

/** Steps that emit each record when its call is done: some keys are answered at once, some after others. */
const slowly = async (value: number): Promise<number> => {
  for (let ticks = value % 3 === 0 ? 40 : 0; ticks > 0; ticks -= 1) await Promise.resolve();
  return value;
};
const CALLS: Record<string, () => Calls> = {
  mapAsync: () => mapAsync(slowly, { concurrency: 4 }) as Calls,
  'mapAsync twice': () => (records) => records.pipe(mapAsync(slowly), mapAsync(slowly)) as Observable<Numbers>,
  joinLookup: () =>
    joinLookup(slowly, (value: number) => value, {
      key: (value: number) => value,
      cache: { size: 9, ttl: '1h' },
    }) as Calls,
};

const sorted = agg.custom({
  name: 'sorted',
  init: (): number[] => [],
  add: (values, value: number) => [...values, value].sort((a, b) => a - b),
});
const window = tumbling({ size: '50ms', grace: '0ms' });

/** What stands below the calls; each result is the same for every order of calls if nothing is late. */
const BELOW: Record<string, (records: Observable<Numbers>) => Observable<unknown>> = {
  windowBy: (records) => records.pipe(windowBy(window, sorted, { store: 'windows' }), to(output)),
  'windowBy after a shuffle': (records) =>
    records.pipe(
      keyBy((value) => `k${value % 2}`),
      through(shuffle),
      windowBy(window, sorted, { store: 'windows' }),
      to(output),
    ),
  'suppress of a table': (records) =>
    asTable(records, { store: 'newest', ttl: '40ms' }).pipe(
      toStream(),
      filterValues((value): value is number => value !== null),
      windowBy(window, sorted, { store: 'windows', emit: 'updates' }),
      suppress({ until: 'close', store: 'held' }),
      to(output),
    ),
  joinStream: (records) =>
    records.pipe(
      joinStream(other, (left, right) => [left, right], {
        store: 'pairs',
        within: '20ms',
        grace: '0ms',
        type: 'outer',
      }),
      to(output),
    ),
  'union with what made no calls': (records) =>
    union(records, source.pipe(mapValues((value) => value + 1_000))).pipe(
      windowBy(window, sorted, { store: 'windows' }),
      to(output),
    ),
};

async function rowsOf(
  pipeline: Observable<unknown>,
  keys: readonly string[],
): Promise<{ rows: string[]; late: number }> {
  const transport = memoryTransport();
  const client = await connect({ transport, logger: false });
  for (const each of [source, other, shuffle]) await client.topics.create(each, { partitions: 1 });
  for (const [n, key] of keys.entries()) {
    void client.publish(n % 4 === 0 ? other : source, { key, value: n, timestamp: n * 7 });
  }
  await client.flush();
  const app = run(pipeline, { applicationId: 'calls', transport, until: 'end', openWindows: 'close', logger: false });
  await app.done;
  const rows: string[] = [];
  for await (const { key, timestamp, value } of client.records(output, { from: 'earliest', until: 'end' })) {
    rows.push(`${key} ${JSON.stringify(value)} ${timestamp}`);
  }
  await client.close();
  return { rows: rows.sort(), late: app.snapshot().late };
}

describe.each(Object.entries(CALLS))('below %s, no record is late because others overtook it', (_name, calls) => {
  it.each(Object.entries(BELOW))('%s', async (_below, below) => {
    const random = randomNumbers();
    const keys = Array.from({ length: 150 }, () => `q${Math.floor(random() * 5)}`);
    const wanted = await rowsOf(below(source), keys);
    expect(await rowsOf(below(source.pipe(calls())), keys)).toEqual(wanted);
    expect(wanted.late).toBe(0);
  });
});
