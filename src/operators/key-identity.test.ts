import { describe, expect, it } from 'vitest';
import {
  agg,
  countByKey,
  float64,
  globalTable,
  int32,
  joinTable,
  json,
  mapAsync,
  type Pipeline,
  type Serde,
  string,
  table,
  to,
  topic,
  tumbling,
  uuid,
  windowBy,
} from '../index.ts';
import { TestDriver, type TestDriverOptions } from '../testing/index.ts';

const id = '6f1ed002-ab59-4d5a-9c0e-5b2b2f1f0a3c';
/** Of each serde two keys, and whether they are one. */
const cases: readonly (readonly [string, Serde<unknown>, readonly [unknown, unknown], boolean])[] = [
  ['0 and −0 in float64', float64() as Serde<unknown>, [0, -0], false],
  ['0 and −0 in json', json(), [0, -0], true],
  ['NaN and NaN', float64() as Serde<unknown>, [Number.NaN, Number.NaN], true],
  ['a UUID in two cases', uuid() as Serde<unknown>, [id, id.toUpperCase()], true],
  ['é composed or not', string() as Serde<unknown>, ['é', 'e\u0301'], false],
];

describe.each(cases)('keys go by their bytes: %s', (_name, key, [one, other], same) => {
  const input = topic('input', { key, value: int32(), partitions: 1 });
  const out = topic('out', { value: json<unknown>() });
  const values = (pipeline: Pipeline, options: TestDriverOptions, restart: boolean): unknown[] => {
    const driver = new TestDriver(pipeline, options);
    for (const each of [one, other, one, other]) {
      driver.pipe(input, { key: each, value: 1, timestamp: 1 });
      if (restart) driver.restart();
    }
    driver.end('close');
    return driver.read(out).map(({ value }) => value);
  };

  it.each<readonly [string, Pipeline, unknown[], unknown[]]>([
    ['countByKey', input.pipe(countByKey({ store: 'c' }), to(out as never)), [1, 2, 3, 4], [1, 1, 2, 2]],
    [
      'windowBy',
      input.pipe(windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'w' }), to(out as never)),
      [4],
      [2, 2],
    ],
  ])('%s, with and without restarts and caches', (_step, pipeline, together, apart) => {
    for (const cacheEntries of [0, 1, 1000]) {
      for (const restart of [false, true]) {
        expect(values(pipeline, { cacheEntries }, restart)).toEqual(same ? together : apart);
      }
    }
  });

  it('in joins with tables and global tables', () => {
    const rows = table('rows', { key, value: string() });
    const pipeline = input.pipe(
      joinTable(rows, (_n, row) => row),
      to(out as never),
    );
    for (const cacheEntries of [0, 1000]) {
      const driver = new TestDriver(pipeline, { cacheEntries });
      driver.pipe(rows, { key: one, value: 'first', timestamp: 0 });
      driver.pipe(rows, { key: other, value: 'second', timestamp: 0 });
      driver.pipe(input, { key: one, value: 1, timestamp: 1 });
      expect(driver.read(out).map(({ value }) => value)).toEqual([same ? 'second' : 'first']);
    }
    const globals = globalTable('globals', { key, value: string() });
    const keys = [one, other];
    const found = input.pipe(
      joinTable(globals, (_n, row) => row, { key: (n) => keys[n] as NonNullable<unknown> }),
      to(out as never),
    );
    const driver = new TestDriver(found);
    driver.pipe(globals, { key: one, value: 'first', timestamp: 0 });
    driver.pipeAll(
      input,
      [0, 1].map((value) => ({ key: one, value, timestamp: 1 })),
    );
    expect(driver.read(out).map(({ value }) => value)).toEqual(same ? ['first', 'first'] : ['first']);
  });

  it('in the order of mapAsync', async () => {
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const pipeline = input.pipe(
      mapAsync((n) => {
        started.push(n);
        return new Promise<number>((resolve) => ends.push(() => resolve(n)));
      }),
      to(out as never),
    );
    const driver = new TestDriver(pipeline);
    driver.pipeAll(input, [
      { key: one, value: 1, timestamp: 1 },
      { key: other, value: 2, timestamp: 1 },
    ]);
    expect(started).toEqual(same ? [1] : [1, 2]);
    while (started.length > 0) {
      started.length = 0;
      for (const end of ends.splice(0)) end();
      await new Promise((resolve) => setImmediate(resolve));
    }
    await driver.settled();
  });
});
