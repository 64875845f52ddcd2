import { describe, expect, it } from 'vitest';
import { batch, json, mapAsync, to } from '../index.ts';
import { TestDriver } from '../testing/index.ts';
import { headers, input, keyed, output, shown, thrown } from './operators.fixtures.ts';

const options = { count: 3, within: '10ms', store: 'batches' } as const;
const batched = (): TestDriver => new TestDriver(input.pipe(batch(options), to(output)));
const send = (driver: TestDriver, key: string | null, value: number | null, timestamp: number): string[] => {
  driver.pipe(input, { key, value, timestamp, headers: headers(['h', '1']) });
  return shown(driver.read(output));
};

describe('batch', () => {
  it('goes on when it is full, or when its time is over', () => {
    const driver = batched();
    expect(send(driver, 'a', 1, 5)).toEqual([]);
    expect(send(driver, 'a', 2, 3)).toEqual([]);
    driver.restart();
    expect(send(driver, 'a', 3, 4)).toEqual(['a=[1,2,3]@5']);
    expect(send(driver, 'a', 4, 0)).toEqual([]);
    expect([...driver.store('batches-open').entries()]).toEqual([
      { key: 'a', value: [{ start: 5, end: 15, value: [4] }], timestamp: 0 },
    ]);
    expect(send(driver, 'b', 9, 14)).toEqual([]);
    expect(send(driver, 'b', 8, 15)).toEqual(['a=[4]@0']);
    driver.end();
    expect(driver.read(output)).toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ late: 0 });
  });

  it('drops null keys and values, which move no time, and has no headers', () => {
    const driver = batched();
    expect(send(driver, 'a', 1, 0)).toEqual([]);
    expect(send(driver, 'a', null, 90)).toEqual([]);
    expect(send(driver, null, 2, 90)).toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 2 });
    driver.pipe(input, { key: 'b', value: 1, timestamp: 10 });
    expect(driver.read(output)[0]?.headers).toEqual([]);
  });

  it('hands over many at once, by its own serde', async () => {
    const pipeline = keyed.pipe(
      batch({ ...options, count: 2, value: json<number>() }),
      mapAsync(async (values) => values.reduce((sum, each) => sum + each, 0)),
      to(output),
    );
    const driver = new TestDriver(pipeline);
    driver.pipe(keyed, { key: 'a', value: 1, timestamp: 0 });
    driver.restart();
    driver.pipe(keyed, { key: 'a', value: 2, timestamp: 0 });
    await driver.settled();
    expect(shown(driver.read(output))).toEqual(['a=3@0']);
  });

  it('checks its options', () => {
    for (const count of [0, 1.5, undefined]) {
      expect(thrown(() => batch({ ...options, count: count as number })).code).toBe('ERR_OPTION');
    }
    expect(thrown(() => batch({ ...options, within: '0s' })).code).toBe('ERR_OPTION');
  });
});
