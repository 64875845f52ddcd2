import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  agg,
  connect,
  output as emits,
  json,
  keyValue,
  type LogLocation,
  mapAsync,
  memoryTransport,
  process,
  run,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver, VirtualClock } from 'millrace/testing';
import { afterEach, expect, it } from 'vitest';
import { rounds, until } from './support.ts';

const MINUTE = 60_000;
const orders = topic('orders', { key: string(), value: json<number>(), partitions: 1 });
const rows = topic('rows', { key: string(), value: json<unknown>(), partitions: 1 });

/** Everything here that waits, waits for hours: calls that fail, idle inputs, timers by the wall. */
function program() {
  const attempts: number[] = [];
  const reached: number[] = [];
  const saved = orders.pipe(
    mapAsync(
      async (n, { attempt }) => {
        attempts.push(attempt);
        if (attempt === 1) throw new Error('not yet');
        return n;
      },
      { retries: 1, backoff: '30m' },
    ),
  );
  const counted = saved.pipe(
    windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'counts' }),
    to(rows),
  );
  const reminded = saved.pipe(
    process({
      name: 'remind',
      stores: { open: keyValue('open', { value: json<number>() }) },
      timers: { reminder: 'wall-clock' },
      emits: emits<string>(),
      next({ value }, { key, now, stores, timers }) {
        reached.push(value);
        stores.open.set(key, value);
        timers.reminder.set(now + 300 * MINUTE);
      },
      due: {
        reminder: ({ key }, { emit, stores }) => emit(`open: ${stores.open.get(key) ?? 0}`, { timestamp: 9 }),
      },
    }),
    to(rows),
  );
  return { attempts, reached, pipeline: [counted, reminded] };
}

const feed = [1, 2].map((value) => ({ key: `k${value}`, value, timestamp: 1000 * value }));
const show = ({ key, value }: { readonly key: string; readonly value: unknown }): string => `${key} ${String(value)}`;
const counts = ['k1 1', 'k2 1'];
const reminders = ['k1 open: 1', 'k2 open: 2'];

let folder: string | undefined;
afterEach(() => {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
});

it.each([
  ['memory', (): LogLocation => ({ transport: memoryTransport() })],
  [
    'a folder',
    (): LogLocation => {
      folder = mkdtempSync(join(tmpdir(), 'millrace-clock-'));
      return { path: folder };
    },
  ],
])('an application on %s does by a virtual clock what hours would bring, and nothing without it', async (_, open) => {
  const log = open();
  const clock = new VirtualClock(1_700_000_000_000);
  const { attempts, pipeline, reached } = program();
  const client = await connect(log);
  await client.topics.create(rows);
  const app = run(pipeline, {
    applicationId: 'app',
    ...log,
    clock,
    idle: '1h',
    logger: false,
  });
  const seen: string[] = [];
  const began = clock.now();
  /** Lets time pass until something has happened, but not while a commit is on its way. @returns How much, in minutes. */
  const passing = async (what: string, happened: () => boolean): Promise<number> => {
    await until(what, () => {
      if (happened()) return true;
      if (app.snapshot().waitingFor.length === 0) clock.advance(MINUTE);
      return false;
    });
    return (clock.now() - began) / MINUTE;
  };
  try {
    await app.ready;
    await client.publishAll(orders, feed);
    client.records(rows, { from: 'earliest' }).subscribe((row) => seen.push(show(row)));
    await until('both are called', () => attempts.length === 2);
    await rounds(100);
    expect([attempts.length, seen.length], 'the clock stands still').toEqual([2, 0]);
    const { commits } = app.snapshot();
    clock.advance(30 * MINUTE - 1);
    await rounds(100);
    expect(attempts).toEqual([1, 1]);
    clock.advance(1);
    await until('both are called again', () => attempts.length === 4 && reached.length === 2);
    await until('a commit', () => app.snapshot().commits > commits);
    expect(await passing('an idle input', () => seen.length >= 2)).toBeGreaterThanOrEqual(90);
    expect(seen.slice(0, 2)).toEqual(counts);
    expect(await passing('timers', () => seen.length >= 4)).toBeGreaterThanOrEqual(330);
    expect(seen).toEqual([...counts, ...reminders]);
    expect(attempts).toEqual([1, 1, 2, 2]);
  } finally {
    const stopped = app.stop();
    // If it has to wait, then for the deadline, which the clock brings.
    await rounds();
    clock.advance(MINUTE);
    await stopped.catch(() => undefined);
    await client.close();
  }
});

it('the test driver gives the same', async () => {
  const { pipeline } = program();
  const driver = new TestDriver(pipeline, { idle: '1h' });
  driver.pipeAll(orders, feed);
  await rounds();
  const settled = driver.settled();
  driver.advanceTime('30m');
  await settled;
  driver.advanceTime('2h');
  expect(driver.read(rows).map(show)).toEqual(counts);
  driver.advanceTime('3h');
  expect(driver.read(rows).map(show)).toEqual(reminders);
});
