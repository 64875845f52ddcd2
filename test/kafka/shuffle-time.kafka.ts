import { connect } from 'millrace';
import { expect, inject, it } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { unique, until } from '../contract/support.ts';
import { days, RECORDS, records, rowOf, type YearOptions, YearProcess, year } from './year.ts';

/** Two processes share a year that lies in a topic; one of them is ended in the middle, and another one takes its place. */
async function sharedYear(guarantee: YearOptions['guarantee'], signal: NodeJS.Signals) {
  const brokers = inject('brokers');
  const options: YearOptions = { name: unique('year'), brokers, guarantee, delayMs: 0.15 };
  const { out, shuffles, source } = year(options.name, 0);
  const client = await connect({ transport: kafkaTransport({ brokers }) });
  const processes: YearProcess[] = [];
  const rows: [row: string, count: number][] = [];
  try {
    for (const each of [source, ...shuffles, out]) await client.topics.create(each);
    await client.publishAll(source, records());
    client.records(out, { from: 'earliest' }).subscribe(({ key, timestamp, value }) => {
      rows.push([rowOf(key, timestamp), value]);
    });
    const pair = (): YearProcess[] => processes.slice(-2);
    for (let n = 0; n < 2; n += 1) processes.push(new YearProcess(options));
    const shared = (): boolean => pair().every(({ state }) => state.tasks.length > 0);
    await until('both to work', () => shared() && pair().every(({ state }) => state.recordsIn > 0), 90_000);
    const done = processes.reduce((sum, { state }) => sum + state.recordsIn, 0);
    expect(done, 'one is ended in the middle').toBeLessThan(3 * RECORDS);
    await processes[0]!.end(signal);
    processes.push(new YearProcess(options));
    const wanted = days();
    const late = (): number[] => processes.map(({ state }) => state.late);
    await until('all days', () => new Set(rows.map(([row]) => row)).size >= wanted.size, 120_000).catch(
      (error: unknown) => {
        throw new Error(`${rows.length} rows; ${JSON.stringify(processes.map(({ state }) => state))}`, {
          cause: error,
        });
      },
    );
    const shuffled = await Promise.all(
      shuffles.map(async (shuffle) => {
        let count = 0;
        await client.records(shuffle, { from: 'earliest', until: 'end' }).forEach(() => void (count += 1));
        return count;
      }),
    );
    return { wanted, rows, shuffled, late: late() };
  } finally {
    await Promise.all(processes.map((each) => each.end('SIGKILL')));
    await client.close();
  }
}

it('nothing is late behind shuffles that two processes write, one of which is killed', {
  timeout: 180_000,
}, async () => {
  const { late, rows, shuffled, wanted } = await sharedYear('exactly-once', 'SIGKILL');
  expect(late).toEqual([0, 0, 0]);
  expect(rows).toHaveLength(wanted.size);
  expect(new Map(rows)).toEqual(wanted);
  expect(shuffled, 'announcements are no records').toEqual([RECORDS + 7, RECORDS + 7]);
});

it('nor at least once, but for what is there twice', { timeout: 180_000 }, async () => {
  const { late, rows, shuffled, wanted } = await sharedYear('at-least-once', 'SIGTERM');
  const counted = new Map<string, number>();
  for (const [row, count] of rows) counted.set(row, Math.max(counted.get(row) ?? 0, count));
  const missing = [...wanted].filter(([row, count]) => (counted.get(row) ?? 0) < count);
  expect(missing).toEqual([]);
  // A process that is lost, as a machine under load loses one, leaves records that the next one writes again.
  const twice = shuffled[1]! - (RECORDS + 7);
  expect(late.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(twice);
});
