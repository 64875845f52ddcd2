import { agg, aggregate, int32, run as runPipeline, topic } from 'millrace';
import { inChild } from './shared/child.ts';
import { seededRandom, stopwatch, type Time } from './shared/measure.ts';
import { publishMany } from './shared/publish-many.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';

const numbers = topic('numbers', { key: int32(), value: int32(), partitions: 1 });
const sums = numbers.pipe(
  aggregate(
    agg.sum((n: number) => n),
    { store: 'sums' },
  ),
);
/** Bounds the memory: most of a million keys are not in it. */
const CACHE_ENTRIES = 50_000;

export async function publishKeys(path: string, keys: number, records: number): Promise<void> {
  const random = seededRandom(11);
  const key = records === keys ? (at: number) => at : () => Math.floor(random() * keys);
  await publishMany(path, numbers, records, (at) => ({ key: key(at), value: 1, timestamp: 1_700_000_000_000 }));
}

interface StateRun extends Time {
  readonly peakMiB: number;
}

export async function sumUp(path: string): Promise<StateRun> {
  const time = stopwatch();
  const app = runPipeline(sums, { applicationId: 'state', path, until: 'end', cacheEntries: CACHE_ENTRIES });
  await app.done;
  return { ...time(), peakMiB: process.resourceUsage().maxRSS / 1024 };
}

/** Every key gets a value; then values come for keys at random. */
async function updates(keys: number, records: number): Promise<StateRun> {
  return withScratch(async (path) => {
    await inChild(import.meta.url, 'publishKeys', path, keys, keys);
    await inChild(import.meta.url, 'sumUp', path);
    await inChild(import.meta.url, 'publishKeys', path, keys, records);
    return inChild<StateRun>(import.meta.url, 'sumUp', path);
  });
}

/** Sums per key on the embedded log, where the keys fit into the cache and where they do not. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const few = quick ? 1_000 : 10_000;
  const many = quick ? 20_000 : 1_000_000;
  const records = quick ? 10_000 : 500_000;
  const small: StateRun[] = [];
  const large: StateRun[] = [];
  for (let at = 0; at < (quick ? 1 : 3); at += 1) {
    small.push(await updates(few, records));
    large.push(await updates(many, records));
  }
  const micros = (runs: readonly StateRun[]): number[] => runs.map(({ wallMs }) => (wallMs * 1000) / records);
  const ratios = micros(large).map((each, at) => each / (micros(small)[at] ?? Number.NaN));
  const lower = { higherIsBetter: false };
  const memory = (runs: readonly StateRun[]): number[] => runs.map(({ peakMiB }) => peakMiB);
  const keys = (count: number): string => `${count.toLocaleString('en-US')} keys`;
  return [
    rowOf(`aggregate, ${keys(few)}`, 'µs/record', micros(small), lower),
    rowOf(`aggregate, ${keys(many)}, ${keys(CACHE_ENTRIES)} cached`, 'µs/record', micros(large), lower),
    rowOf(`aggregate, ${keys(many)} against ${keys(few)}`, 'times as long', ratios, { ...lower, target: 3 }),
    rowOf(`aggregate, ${keys(few)}: memory`, 'MiB', memory(small), lower),
    rowOf(`aggregate, ${keys(many)}: memory`, 'MiB', memory(large), lower),
  ];
}
