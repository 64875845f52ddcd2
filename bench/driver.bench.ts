import { agg, int32, mapValues, string, to, topic, tumbling, windowBy } from 'millrace';
import { TestDriver, type TestRecord } from 'millrace/testing';
import { inChild } from './shared/child.ts';
import { coreRates, timesOf } from './shared/measure.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';

const numbers = topic('numbers', { key: string(), value: int32() });
const results = topic('results', { key: string(), value: int32() });

const PIPELINES = {
  mapValues: () =>
    numbers.pipe(
      mapValues((n) => n + 1),
      to(results),
    ),
  windowBy: () =>
    numbers.pipe(windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'counts' }), to(results)),
};
type Which = keyof typeof PIPELINES;

/** Records per second: a new driver, the records, and reading the results. */
export function driverRates(which: Which, oneByOne: boolean, count: number, runs: number): number[] {
  const records = Array.from(
    { length: count },
    (_, at): TestRecord<string, number> => ({ key: `key-${at % 1_000}`, value: at, timestamp: at * 100 }),
  );
  const drive = (): void => {
    const driver = new TestDriver(PIPELINES[which]());
    if (oneByOne) for (const record of records) driver.pipe(numbers, record);
    else driver.pipeAll(numbers, records);
    const rows = driver.read(results).length;
    if (rows === 0) throw new Error('the driver gave nothing');
  };
  return coreRates(count, timesOf(drive, { runs, warmUps: 2 }));
}

/** The test driver: how many records a property test can afford. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const runs = quick ? 3 : 7;
  const row = async (which: Which, oneByOne: boolean): Promise<Row> => {
    const count = (oneByOne ? 50_000 : 200_000) / (quick ? 10 : 1);
    const rates = await inChild<number[]>(import.meta.url, 'driverRates', which, oneByOne, count, runs);
    const name = `driver, ${oneByOne ? 'pipe one by one' : 'pipeAll'}, ${which}`;
    return rowOf(name, 'records/s', rates, { target: 200_000 });
  };
  return [
    await row('mapValues', false),
    await row('windowBy', false),
    await row('mapValues', true),
    await row('windowBy', true),
  ];
}
