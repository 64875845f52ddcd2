import { expect, it } from 'vitest';
import {
  agg,
  int32,
  keyBy,
  type MillraceError,
  mapAsync,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from '../index.ts';
import { TestDriver } from './index.ts';

it('settles for two who wait at once', async () => {
  const source = topic('source', { key: string(), value: string() });
  const target = topic('target', { key: string(), value: string() });
  let calls = 0;
  const flaky = async (value: string) => {
    calls += 1;
    if (calls === 1) throw new Error('HTTP 503');
    return value;
  };
  const driver = new TestDriver(source.pipe(mapAsync(flaky, { retries: 1 }), to(target)));
  driver.pipe(source, { key: 'a', value: 'x' });
  const first = driver.settled();
  await new Promise(setImmediate);
  const second = driver.settled();
  await new Promise(setImmediate); // is reached: they leave the event loop alone
  driver.advanceTime('1m');
  await Promise.all([first, second]);
  expect(driver.read(target).map(({ value }) => value)).toEqual(['x']);
});

it('says what it waits for when the clock stands still, and goes on when that is moved', async () => {
  const source = topic('source', { key: string(), value: string() });
  const target = topic('target', { key: string(), value: string() });
  let calls = 0;
  const flaky = async (value: string) => {
    calls += 1;
    if (calls < 3) throw new Error('HTTP 503');
    return value;
  };
  const driver = new TestDriver(source.pipe(mapAsync(flaky, { retries: 2, backoff: '100ms' }), to(target)));
  driver.pipe(source, { key: 'a', value: 'x' });
  driver.pipe(source, { key: 'a', value: 'y' });
  const error = await driver.settled().then(
    () => undefined,
    (thrown: MillraceError) => thrown,
  );
  expect(error).toMatchObject({ code: 'ERR_CLOCK_STANDS', step: 'mapAsync(flaky)' });
  expect(error?.message).toContain(
    "settled() waits for 2 calls of mapAsync(flaky) that failed, to be made again in 100ms of the driver's clock",
  );
  expect(error?.hint).toContain("driver.advanceTime('100ms')");
  driver.advanceTime('100ms');
  const settled = driver.settled();
  await new Promise(setImmediate);
  driver.advanceTime('1s');
  await settled;
  expect(driver.read(target).map(({ value }) => value)).toEqual(['x', 'y']);
});

it('ends each stage after the calls of the stage before it, and of its own', async () => {
  const source = topic('source', { key: string(), value: string() });
  const shuffle = topic('shuffle', { key: string(), value: int32() });
  const target = topic('target', { key: string(), value: int32() });
  const window = tumbling({ size: '10ms', grace: '0ms' });
  const driver = new TestDriver(
    source.pipe(
      mapAsync(async (value) => value),
      windowBy(window, agg.count(), { store: 'counts' }),
      mapAsync(async (count) => count),
      keyBy(() => 'all'),
      through(shuffle),
      windowBy(
        window,
        agg.sum((count) => count),
        { store: 'sums' },
      ),
      to(target),
    ),
  );
  for (const key of ['a', 'b', 'a']) driver.pipe(source, { key, value: 'x', timestamp: 1 });
  driver.end('close');
  expect(driver.read(target)).toEqual([]);
  await driver.settled();
  expect(driver.read(target).map(({ value }) => value)).toEqual([3]);
});
