import { agg, int32, json, string, topic, tumbling, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { inChild } from './shared/child.ts';
import { type Click, clickAt } from './shared/clicks.ts';
import { coreRates, timesOf } from './shared/measure.ts';
import { batchesOf, pass, type RawRecord } from './shared/one-task.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';

type Size = '1m' | '10m';
type Format = 'int32' | 'json';

function pipelineOf(format: Format, size: Size) {
  const windower = tumbling({ size, grace: '0s' });
  return format === 'int32'
    ? topic('clicks', { key: int32(), value: int32() }).pipe(windowBy(windower, agg.count(), { store: 'counts' }))
    : topic('clicks', { key: string(), value: json<Click>() }).pipe(
        windowBy(windower, agg.count(), { store: 'counts' }),
      );
}

function recordOf(format: Format, at: number): RawRecord {
  const { text, timestamp, user, userId } = clickAt(at);
  if (format === 'json') return { key: userId, value: text, timestamp };
  const bytes = int32().serialize(user);
  return { key: bytes, value: bytes, timestamp };
}

/** Records per second of a task: reading, decoding, counting, closing windows, committing to stores in memory. */
export function taskRates(format: Format, size: Size | 'none', records: number, runs: number): number[] {
  const batches = batchesOf(records, (at) => recordOf(format, at));
  const pipeline = size === 'none' ? sourceOf(format) : pipelineOf(format, size);
  return coreRates(
    records,
    timesOf(() => pass(pipeline, batches), { runs, warmUps: 2 }),
  );
}

type Grace = '10s' | '1h' | '6h';

/**
 * Records per second of a test driver, with a commit after each: windows of one second that a record each falls into, in
 * order, closed after a grace period, so that few or many are open. All of them are stored, and removed when they close.
 */
export function graceRates(grace: Grace, records: number, runs: number): number[] {
  const clicks = topic('clicks', { key: int32(), value: int32() });
  const driver = new TestDriver(
    clicks.pipe(windowBy(tumbling({ size: '1s', grace }), agg.count(), { store: 'counts' })),
  );
  let next = 0;
  const feed = (): void => {
    for (const end = next + records; next < end; next += 1) {
      driver.pipe(clicks, { key: next % 10_000, value: 1, timestamp: 1_700_000_000_000 + next * 1000 });
    }
  };
  return coreRates(records, timesOf(feed, { runs, warmUps: 1 }));
}

function sourceOf(format: Format) {
  return format === 'int32'
    ? topic('clicks', { key: int32(), value: int32() })
    : topic('clicks', { key: string(), value: json<Click>() });
}

/** `windowBy` with a count, of 10,000 keys and 10,000 records a minute, rows emitted on close. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const records = quick ? 50_000 : 1_000_000;
  const runs = quick ? 3 : 7;
  const rates = (format: Format, size: Size | 'none'): Promise<number[]> =>
    inChild(import.meta.url, 'taskRates', format, size, records, runs);
  const row = async (name: string, format: Format, size: Size | 'none', target?: number): Promise<Row> =>
    rowOf(name, 'records/s', await rates(format, size), target === undefined ? {} : { target });
  const ofGrace = (grace: Grace): Promise<number[]> =>
    inChild(import.meta.url, 'graceRates', grace, quick ? 5_000 : 50_000, runs);
  const few = await ofGrace('10s');
  const hour = await ofGrace('1h');
  const many = await ofGrace('6h');
  const ratios = many.map((rate, at) => (few[at] ?? Number.NaN) / rate);
  return [
    await row('windowBy count, 10 min windows, int32', 'int32', '10m', 1_000_000),
    await row('windowBy count, 1 min windows, int32', 'int32', '1m', 1_000_000),
    await row('task without windows, int32', 'int32', 'none'),
    await row('windowBy count, 10 min windows, JSON', 'json', '10m'),
    await row('windowBy count, 1 min windows, JSON', 'json', '1m'),
    await row('task without windows, JSON', 'json', 'none'),
    rowOf('one by one, 1 s windows, 10 s of grace', 'records/s', few),
    rowOf('one by one, 1 s windows, 1 h of grace', 'records/s', hour),
    rowOf('one by one, 1 s windows, 6 h of grace', 'records/s', many),
    rowOf('one by one, 6 h of grace against 10 s', 'times as long', ratios, { higherIsBetter: false, target: 1.3 }),
  ];
}
