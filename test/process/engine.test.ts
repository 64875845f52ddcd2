import { json, keyValue, MillraceError, process, string, to, topic } from 'millrace';
import { VirtualClock } from 'millrace/testing';
import { expect, it } from 'vitest';
import { until } from '../contract/support.ts';
import { FaultyLog } from '../runtime/support.ts';

const source = topic('source', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });
const HOUR = 3_600_000;

/** Says an hour after the last value of a key what that was. */
const hourly = source.pipe(
  process({
    name: 'hourly',
    stores: { last: keyValue('last', { value: json<number>() }) },
    timers: { over: 'wall-clock' },
    next({ value }, { key, now, stores, timers }) {
      stores.last.set(key, value);
      timers.over.set(now + HOUR);
    },
    due: { over: ({ key }, { emit, stores }) => emit(stores.last.get(key) ?? -1) },
  }),
  to(out),
);

it('commits while a timer waits, wakes for it, and commits what it did', async () => {
  const log = new FaultyLog().create('source').create('out');
  const clock = new VirtualClock(1_000_000);
  log.publish(source, [{ key: 'a', value: 7, timestamp: 0 }]);
  const app = log.run(hourly, { clock });
  await until('the record is committed', () => log.committed('app', 'source') === 1);
  clock.advance(HOUR - 1);
  const before = app.snapshot().commits;
  expect(log.values(out)).toEqual([]);
  clock.advance(1);
  await until('the row is written', () => log.values(out).length === 1);
  await until('and committed', () => app.snapshot().commits > before);
  await app.stop();
  expect(log.read(out).map(({ timestamp }) => timestamp)).toEqual([1_000_000 + HOUR]);
  // Nothing of it is left for another start.
  const again = log.run(hourly, { clock });
  await again.ready;
  clock.advance(HOUR);
  log.publish(source, [{ key: 'b', value: 8, timestamp: 0 }]);
  await until('another record is committed', () => log.committed('app', 'source') === 2);
  await again.stop();
  expect(log.values(out)).toEqual([7]);
});

it('fires a timer again whose commit failed, from the last commit', async () => {
  const log = new FaultyLog().create('source').create('out');
  const clock = new VirtualClock(0);
  log.publish(source, [{ key: 'a', value: 7, timestamp: 0 }]);
  const app = log.run(hourly, { clock });
  await until('the record is committed', () => log.committed('app', 'source') === 1);
  let failures = 1;
  log.fault = (call) => {
    if (call === 'commit' && failures-- > 0) throw new MillraceError('abortable', 'ERR_TEST', 'a commit fails');
  };
  clock.advance(HOUR);
  // Tasks are built again after a pause on the same clock.
  await until('the row is written', () => {
    clock.advance(50);
    return log.values(out).length === 1;
  });
  await app.stop();
  expect([log.values(out), failures < 1]).toEqual([[7], true]);
});
