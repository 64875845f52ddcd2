import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Client, connect, json, mapValues, memoryTransport, nullable, string, to, topic } from '../index.ts';
import { thrown } from '../operators/operators.fixtures.ts';
import { TestDriver } from '../testing/index.ts';

const orders = topic('orders', { key: string(), value: json<number>(), partitions: 1 });
const copies = topic('copies', { key: string(), value: nullable(json<number>()) });

let client: Client;
beforeEach(async () => {
  client = await connect({ transport: memoryTransport() });
});
afterEach(() => client.close());

const records = async (): Promise<unknown[]> => {
  const all: unknown[] = [];
  if ((await client.topics.describe(orders)) === undefined) return all;
  for await (const record of client.records(orders, { from: 'earliest', until: 'end' })) all.push(record.value);
  return all;
};

describe('a record that a program gives', () => {
  const misspelt: [object, RegExp][] = [
    [{ key: 'a', valeu: 1 }, /the field "valeu".* – did you mean value\?/],
    [{ key: 'a', value: 1, header: [] }, /did you mean headers\?/],
    [{ key: 'a', value: 1, time: 5 }, /its fields are key, value, timestamp, headers, partition|did you mean/],
    [{ Key: 'a', value: 1 }, /did you mean key\?/],
    [{ key: 'a', value: 1, partitions: 0 }, /did you mean partition\?/],
  ];

  it.each(misspelt)('is refused when a field is misspelt: %j', async (record, message) => {
    const refused = { code: 'ERR_OPTION', written: 'no', message: expect.stringMatching(message) as string };
    await expect(client.publish(orders, record as never)).rejects.toMatchObject(refused);
    await expect(client.publishAll(orders, [{ key: 'a', value: 1 }, record as never])).rejects.toMatchObject(refused);
    const driver = new TestDriver(orders.pipe(to(copies)));
    expect(thrown(() => driver.pipe(orders, record as never))).toMatchObject(refused);
    expect(thrown(() => driver.pipeAll(orders, [record as never]))).toMatchObject(refused);
    expect(await records()).toEqual([]);
  });

  it('deletes with an explicit null only', async () => {
    for (const forgotten of [{ key: 'a' }, { key: 'a', value: undefined }]) {
      const refused = { code: 'ERR_ENCODE', message: expect.stringContaining('give it the value null') as string };
      await expect(client.publish(orders, forgotten as never)).rejects.toMatchObject({ ...refused, written: 'no' });
      const driver = new TestDriver(orders.pipe(to(copies)));
      expect(thrown(() => driver.pipe(orders, forgotten as never))).toMatchObject(refused);
    }
    await expect(client.publish(orders, { key: 'a', value: null })).resolves.toMatchObject({ offset: 0 });
  });

  it('may be one that was read', async () => {
    const driver = new TestDriver(orders.pipe(to(copies)));
    driver.pipe(orders, { key: 'a', value: 1, timestamp: 5 });
    const [copy] = driver.read(copies);
    await client.publish(orders, copy as never);
    await client.publish(orders, { ...copy, window: { start: 0, end: 1 } } as never);
    expect(await records()).toEqual([1, 1]);
  });

  it('is all that there is to give', async () => {
    const more = { partition: 0 };
    const publish = client.publish.bind(client) as (...all: unknown[]) => Promise<unknown>;
    const publishAll = client.publishAll.bind(client) as (...all: unknown[]) => Promise<unknown>;
    const refused = {
      code: 'ERR_OPTION',
      written: 'no',
      message: expect.stringContaining('fields of the record') as string,
    };
    await expect(publish(orders, { key: 'a', value: 1 }, more)).rejects.toMatchObject(refused);
    await expect(publishAll(orders, [{ key: 'a', value: 1 }], more)).rejects.toMatchObject(refused);
    expect(await records()).toEqual([]);
  });
});

describe('a value that a pipeline forgot', () => {
  it('is a failure of its record and not a tombstone', () => {
    const forget = (n: number): number => (n === 1 ? (undefined as never) : n);
    const driver = new TestDriver(orders.pipe(mapValues(forget), to(copies)), { onRecordError: 'skip' });
    driver.pipeAll(orders, [
      { key: 'a', value: 1 },
      { key: 'b', value: 2 },
    ]);
    expect(driver.read(copies).map(({ value }) => value)).toEqual([2]);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
  });
});

describe('options that are not an object', () => {
  it('are refused', async () => {
    for (const options of [3, 'three', [3], null]) {
      await expect(client.topics.create('x', options as never)).rejects.toMatchObject({
        code: 'ERR_OPTION',
        message: expect.stringContaining('create: the options are ') as string,
      });
    }
    expect(await client.topics.list()).toEqual([]);
  });
});
