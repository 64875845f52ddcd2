import { describe, expect, it } from 'vitest';
import {
  type App,
  deadLetter,
  globalTable,
  int32,
  joinTable,
  json,
  keyBy,
  memoryTransport,
  run,
  string,
  through,
  to,
  topic,
  uuid,
} from '../../index.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { TestDriver } from '../../testing/index.ts';
import { TopicReader } from '../../testing/topic-reader.ts';
import { MemoryLog } from '../../transports/memory/index.ts';

interface Order {
  readonly product: string;
}
const orders = topic('orders', { key: string(), value: json<Order>(), partitions: 3 });
const byProduct = topic('by-product', { key: string(), value: string() });
const priced = topic('priced', { key: string(), value: string() });
const products = globalTable('products', { key: string(), value: int32() });
const pipeline = orders.pipe(
  joinTable(products, ({ product }, price) => `${product}=${price}`, { key: ({ product }) => product }),
  keyBy((text) => text.slice(0, 1)),
  through(byProduct),
  joinTable(products, (text, price) => `${text}/${price}`, { key: (_, { key }) => key }),
  to(priced),
);

function write(log: MemoryLog, name: string, partition: number, key: string, value: Uint8Array | string | null): void {
  const batch = new RecordBatchBuilder();
  batch.append(1000, key, value, []);
  log.append([log.prepare({ topic: name, partition }, batch)]);
}

const price = (amount: number): Uint8Array => int32().serialize(amount);
const rows = (log: MemoryLog): (string | null)[] =>
  new TopicReader(log, 'priced').read(priced).map(({ value }) => value);

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

function logWith(prices: Readonly<Record<string, number>>): MemoryLog {
  const log = new MemoryLog();
  log.create('orders', { partitions: 3 });
  // Another number of partitions than the stream has: a global table needs no co-partitioning.
  log.create('products', { partitions: 2 });
  Object.entries(prices).forEach(([key, amount], at) => write(log, 'products', at % 2, key, price(amount)));
  return log;
}

describe('a global table', () => {
  const options = (log: MemoryLog) => ({ applicationId: 'shop', transport: memoryTransport(log) }) as const;

  it('is whole before the first record is processed, for all tasks of all stages (GT-1)', async () => {
    const log = logWith({ a: 1, b: 2, c: 3 });
    for (const partition of [0, 1, 2])
      write(log, 'orders', partition, 'k', JSON.stringify({ product: 'abc'[partition] }));
    const app = run(pipeline, { ...options(log), until: 'end' });
    await app.done;
    expect(new Set(rows(log))).toEqual(new Set(['a=1/1', 'b=2/2', 'c=3/3']));
    expect(app.graph.stages.map(({ inputs }) => inputs)).toEqual([['by-product'], ['orders']]);
  });

  it('is followed while the application runs', async () => {
    const log = logWith({ a: 1 });
    const app: App = run(pipeline, options(log));
    await until(() => app.snapshot().state === 'running' && app.snapshot().tasks.length === 6);
    write(log, 'products', 1, 'a', price(7));
    write(log, 'orders', 0, 'k', JSON.stringify({ product: 'a' }));
    await until(() => rows(log).length === 1);
    write(log, 'products', 1, 'a', null);
    write(log, 'orders', 0, 'k', JSON.stringify({ product: 'a' }));
    await until(() => app.snapshot().recordsIn === 3);
    await app.stop();
    expect(rows(log)).toEqual(['a=7/7']);
  });

  it('stops the application at a record that cannot be read, or passes over it where a policy says so', async () => {
    const log = logWith({ a: 1 });
    write(log, 'products', 0, 'b', 'x');
    write(log, 'orders', 0, 'k', JSON.stringify({ product: 'a' }));
    const failing = run(pipeline, { ...options(log), until: 'end' });
    await expect(failing.done).rejects.toMatchObject({
      code: 'ERR_DECODE',
      topic: 'products',
      partition: 0,
      offset: 1,
    });
    await run(pipeline, { ...options(log), until: 'end', onRecordError: 'skip' }).done;
    expect(rows(log)).toEqual(['a=1/1']);
  });

  it('sends a record that cannot be read to the dead letters, at the start and later, and counts it', async () => {
    const log = logWith({ a: 1 });
    write(log, 'products', 0, 'b', 'x');
    write(log, 'orders', 0, 'k', JSON.stringify({ product: 'a' }));
    const app = run(pipeline, { ...options(log), onRecordError: deadLetter('bad-products') });
    await until(() => rows(log).length === 1);
    write(log, 'products', 0, 'c', 'yy');
    const letters = () => new TopicReader(log, 'bad-products').read(topic('bad-products', { value: string() }));
    await until(() => letters().length === 2);
    expect(letters().map(({ value }) => value)).toEqual(['x', 'yy']);
    expect(app.snapshot()).toMatchObject({ errors: 2, globalTables: [{ skipped: 0, deadLettered: 2 }] });
    await app.stop();
    const driver = new TestDriver(pipeline, { onRecordError: deadLetter('bad-products') });
    driver.pipe(topic('products', { key: string(), value: string() }), { key: 'b', value: 'x', timestamp: 5 });
    expect(driver.read(topic('bad-products', { value: string() }))).toMatchObject([{ value: 'x' }]);
    expect(driver.globalTables()).toMatchObject([{ deadLettered: 1 }]);
  });

  it('fails with a dead letter that cannot be written: the row is not passed over', async () => {
    const log = logWith({ a: 1 });
    write(log, 'products', 0, 'b', 'x');
    log.create('bad-products', { config: { maxMessageBytes: 100 } });
    const app = run(pipeline, { ...options(log), until: 'end', onRecordError: deadLetter('bad-products') });
    await expect(app.done).rejects.toMatchObject({ code: 'ERR_RECORD_TOO_LARGE', topic: 'bad-products' });
    expect(() => run(pipeline, { ...options(log), onRecordError: deadLetter('products') })).toThrow(/its own source/);
  });

  it('is not there: the name is looked for like that of any source', async () => {
    const log = new MemoryLog();
    log.create('orders', { partitions: 3 });
    log.create('product', { partitions: 1 });
    await expect(run(pipeline, { ...options(log), until: 'end' }).done).rejects.toMatchObject({
      code: 'ERR_UNKNOWN_TOPIC',
      message: expect.stringContaining('did you mean product?') as string,
    });
  });

  it('is loaded by the test driver before each step, in all partitions', () => {
    const driver = new TestDriver(pipeline, { partitions: 3 });
    driver.pipe(orders, { key: 'k', value: { product: 'a' }, timestamp: 5 });
    driver.pipe(products, { key: 'a', value: 4, timestamp: 9 });
    driver.pipe(orders, { key: 'k', value: { product: 'a' }, timestamp: 1 });
    expect(driver.read(priced).map(({ value }) => value)).toEqual(['a=4/4']);
    driver.restart();
    driver.pipe(orders, { key: 'k', value: { product: 'a' }, timestamp: 2 });
    expect(driver.read(priced).map(({ value }) => value)).toEqual(['a=4/4']);
  });

  it('finds a row by the bytes of its key, as other tables do', () => {
    const named = globalTable('named', { key: uuid(), value: string() });
    const asked = topic('asked', { value: string() });
    const found = topic('found', { value: string() });
    const driver = new TestDriver(
      asked.pipe(
        joinTable(named, (_, name) => name, { key: (id) => id }),
        to(found),
      ),
    );
    const id = '6F1ED002-AB59-4D5A-9C0E-5B2B2F1F0A3C';
    driver.pipe(named, { key: id, value: 'Ada' });
    driver.pipeAll(asked, [{ value: id }, { value: id.toLowerCase() }]);
    expect(driver.read(found).map(({ value }) => value)).toEqual(['Ada', 'Ada']);
    driver.pipe(named, { key: id.toLowerCase(), value: null });
    driver.pipe(asked, { value: id });
    expect(driver.read(found)).toEqual([]);
  });

  it('is not joined without saying by which key', () => {
    const join = joinTable as (right: unknown, combine: unknown) => unknown;
    expect(() => join(products, () => 1)).toThrow(/key: \(order\) => order\.productId/);
  });
});
