import { agg, connect, json, mapValues, run as runPipeline, string, to, topic, tumbling, windowBy } from 'millrace';
import { inChild } from './shared/child.ts';
import { type Click, clickAt } from './shared/clicks.ts';
import { stopwatch, type Time } from './shared/measure.ts';
import { publishMany } from './shared/publish-many.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';

const SIZES = { '10m': 600_000, '1m': 60_000 } as const;
type Size = keyof typeof SIZES;

interface Count {
  readonly start: number;
  readonly clicks: number;
}

const clicks = topic('clicks', { key: string(), value: json<Click>(), partitions: 1 });
const counts = topic('counts', { key: string(), value: json<Count>(), partitions: 1 });

const pipelineOf = (size: Size) =>
  clicks.pipe(
    windowBy(tumbling({ size, grace: '0s' }), { clicks: agg.count() }, { store: 'counts' }),
    mapValues((value, { window }): Count => ({ start: window.start, clicks: value.clicks })),
    to(counts),
  );

export async function publishClicks(path: string, records: number): Promise<void> {
  await publishMany(path, clicks, records, (at) => {
    const { text, timestamp, userId } = clickAt(at);
    return { key: userId, value: JSON.parse(text) as Click, timestamp };
  });
}

export interface CountRun extends Time {
  readonly commits: number;
  readonly peakMiB: number;
}

/** From `run(…)` until it is done: opening the log, reading, counting, durable commits, stopping. */
export async function countClicks(path: string, size: Size): Promise<CountRun> {
  const time = stopwatch();
  const app = runPipeline(pipelineOf(size), { applicationId: 'count', path, until: 'end', openWindows: 'close' });
  await app.done;
  return { ...time(), commits: app.snapshot().commits, peakMiB: process.resourceUsage().maxRSS / 1024 };
}

/** Compares every row with a direct computation. @returns The number of rows. */
export async function checkCounts(path: string, size: Size, records: number): Promise<number> {
  const sizeMs = SIZES[size];
  const expected = new Map<string, number>();
  for (let at = 0; at < records; at += 1) {
    const { timestamp, userId } = clickAt(at);
    const pane = `${userId} ${timestamp - (timestamp % sizeMs)}`;
    expected.set(pane, (expected.get(pane) ?? 0) + 1);
  }
  const rows = expected.size;
  const client = await connect({ path });
  await client.records(counts, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
    const pane = `${key} ${value.start}`;
    if (expected.get(pane) !== value.clicks) throw new Error(`${pane}: ${value.clicks}, not ${expected.get(pane)}`);
    expected.delete(pane);
  });
  await client.close();
  if (expected.size > 0) throw new Error(`${expected.size} rows are missing`);
  return rows;
}

/** JSON events of 100 bytes on the embedded log are counted per user and window, with durable commits. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const records = quick ? 20_000 : 1_000_000;
  const runs = quick ? 1 : 5;
  const rows: Row[] = [];
  for (const size of Object.keys(SIZES) as Size[]) {
    const done: CountRun[] = [];
    let results = 0;
    for (let at = 0; at < runs; at += 1) {
      await withScratch(async (path) => {
        await inChild(import.meta.url, 'publishClicks', path, records);
        done.push(await inChild<CountRun>(import.meta.url, 'countClicks', path, size));
        results = await inChild<number>(import.meta.url, 'checkCounts', path, size, records);
      });
    }
    const perSecond = (ms: (each: CountRun) => number): number[] => done.map((each) => (records * 1000) / ms(each));
    const name = `embedded windowed count, ${size} windows`;
    const target = { target: 300_000 };
    rows.push(
      rowOf(
        `${name} (${results} rows)`,
        'records/s',
        perSecond(({ wallMs }) => wallMs),
        target,
      ),
      rowOf(
        `${name}, of one core`,
        'records/s',
        perSecond(({ cpuMs }) => cpuMs),
        target,
      ),
      rowOf(
        `${name}, memory`,
        'MiB',
        done.map(({ peakMiB }) => peakMiB),
        { higherIsBetter: false },
      ),
    );
  }
  return rows;
}
