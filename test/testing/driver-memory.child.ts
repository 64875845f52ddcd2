import { agg, globalTable, int32, joinTable, keyBy, string, through, to, topic, tumbling, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';

/** Drives pipelines in a loop that never waits, and prints what each driver that nobody has any more keeps alive, in KB. */
const numbers = topic('numbers', { key: string(), value: int32() });
const moved = topic('moved', { key: string(), value: int32() });
const rates = globalTable('rates', { key: string(), value: int32() });
const results = topic('results', { key: string(), value: int32() });
const record = { key: 'a', value: 1, timestamp: 5 };

const uses: Readonly<Record<string, () => void>> = {
  windows() {
    const driver = new TestDriver(
      numbers.pipe(windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'counts' }), to(results)),
    );
    driver.pipe(numbers, record);
    driver.end('close');
    driver.read(results);
  },
  stages() {
    const pipeline = numbers.pipe(
      keyBy((n) => String(n)),
      through(moved),
      to(results),
    );
    const driver = new TestDriver(pipeline, { partitions: 2 });
    driver.pipeAll(numbers, [record, record]);
    driver.restart();
    driver.pipe(numbers, record);
  },
  'global tables'() {
    const driver = new TestDriver(
      numbers.pipe(
        joinTable(rates, (n, rate) => n * rate, { key: () => 'eur' }),
        to(results),
      ),
    );
    driver.pipe(rates, { key: 'eur', value: 2 });
    driver.restart();
    driver.pipe(numbers, record);
  },
};

const { gc } = globalThis as { gc?: () => void };
function heapKb(): number {
  gc?.();
  return process.memoryUsage().heapUsed / 1024;
}

const DRIVERS = 100;
for (const [name, use] of Object.entries(uses)) {
  for (let at = 0; at < 20; at += 1) use();
  const before = heapKb();
  for (let at = 0; at < DRIVERS; at += 1) use();
  console.log(`${name}: ${Math.round((heapKb() - before) / DRIVERS)}`);
}
