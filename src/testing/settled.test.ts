import { expect, it } from 'vitest';
import { mapAsync, string, to, topic } from '../index.ts';
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
