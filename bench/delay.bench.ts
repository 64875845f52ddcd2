import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { type App, connect, int32, type LogLocation, mapValues, run as runPipeline, to, topic } from 'millrace';
import { firstValueFrom } from 'rxjs';
import { inChild } from './shared/child.ts';
import { type BenchOptions, percentile, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';

const RATE = 1_000;

/** Where to measure, with a name that no earlier measurement on this log had. */
export interface DelayRun {
  readonly log: LogLocation;
  readonly name: string;
}

const topicOf = (name: string) => topic(name, { value: int32(), partitions: 1 });
const topicsOf = (name: string) => ({
  input: topicOf(`${name}-input`),
  output: topicOf(`${name}-output`),
  over: topicOf(`${name}-over`),
});

function start({ log, name }: DelayRun): App {
  const { input, output } = topicsOf(name);
  return runPipeline(
    input.pipe(
      mapValues((n) => n),
      to(output),
    ),
    { applicationId: name, ...log },
  );
}

/** Runs the pipeline until it is told, by a record, that measuring is over. */
export async function serve(where: DelayRun): Promise<void> {
  const client = await connect(where.log);
  const app = start(where);
  const { over } = topicsOf(where.name);
  await firstValueFrom(client.records(over, { from: 'earliest' }));
  await app.stop();
  await client.close();
}

/**
 * Publishes a record every millisecond and reads what the pipeline makes of it.
 *
 * @returns Sorted delays in ms: from when a record was to be published until its result was there.
 */
export async function delays(
  where: DelayRun,
  twoProcesses: boolean,
  warmUp: number,
  records: number,
): Promise<number[]> {
  const client = await connect(where.log);
  const { input, output, over } = topicsOf(where.name);
  for (const { name } of [input, output, over]) await client.topics.create(name, { partitions: 1 });
  const other = twoProcesses ? inChild(import.meta.url, 'serve', where) : undefined;
  const app = twoProcesses ? undefined : start(where);
  const arrived: number[] = [];
  const subscription = client.records(output, { from: 'earliest' }).subscribe(({ value }) => {
    arrived[value] = performance.now();
  });
  const total = warmUp + records;
  const failures: unknown[] = [];
  const publish = (value: number): void =>
    void client.publish(input, { value }).catch((error: unknown) => failures.push(error));
  publish(total);
  while (arrived[total] === undefined) await setTimeout(5);

  const begin = performance.now();
  const due = (at: number): number => begin + (at * 1000) / RATE;
  for (let next = 0; next < total; await setTimeout(1)) {
    for (const now = performance.now(); next < total && due(next) <= now; next += 1) publish(next);
  }
  while (arrived[total - 1] === undefined && failures.length === 0) await setTimeout(5);
  if (failures.length > 0) throw failures[0];
  await client.publish(over, { value: 0 });
  await other;
  await app?.stop();
  subscription.unsubscribe();
  await client.close();
  return Array.from({ length: records }, (_, at) => (arrived[warmUp + at] ?? Number.NaN) - due(warmUp + at)).sort(
    (a, b) => a - b,
  );
}

/** What one flush to this disk takes; a record's way goes through two of them. */
export function flushes(path: string, count: number): number[] {
  const file = openSync(join(path, 'flush'), 'w');
  const page = new Uint8Array(4096);
  const times = Array.from({ length: count }, () => {
    const begin = performance.now();
    writeSync(file, page);
    fsyncSync(file);
    return performance.now() - begin;
  });
  closeSync(file);
  return times;
}

/** From publishing to reading the result, with a durable write before and a durable commit after the pipeline. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const lower = { higherIsBetter: false };
  const rows: Row[] = [];
  for (const twoProcesses of [false, true]) {
    const p50: number[] = [];
    const p99: number[] = [];
    for (let at = 0; at < (quick ? 1 : 5); at += 1) {
      const [warmUp, records] = quick ? [100, 400] : [2_000, 8_000];
      const sorted = await withScratch((path) =>
        inChild<number[]>(import.meta.url, 'delays', { log: { path }, name: 'delay' }, twoProcesses, warmUp, records),
      );
      p50.push(percentile(sorted, 0.5));
      p99.push(percentile(sorted, 0.99));
    }
    const name = `delay at 1,000 records/s, ${twoProcesses ? 'two processes' : 'one process'}`;
    rows.push(rowOf(`${name}: p50`, 'ms', p50, lower), rowOf(`${name}: p99`, 'ms', p99, { ...lower, target: 10 }));
  }
  const flush = await withScratch((path) => inChild<number[]>(import.meta.url, 'flushes', path, quick ? 10 : 300));
  rows.push(rowOf('write and flush of 4 KiB, for comparison', 'ms', flush, lower));
  return rows;
}
