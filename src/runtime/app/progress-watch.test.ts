import { describe, expect, it, vi } from 'vitest';
import {
  agg,
  connect,
  int32,
  mapAsync,
  memoryTransport,
  run,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from '../../index.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { whyIdle } from './progress-watch.ts';
import type { AppSnapshot } from './snapshot.ts';

const clicks = topic('clicks', { key: string(), value: int32(), partitions: 1 });
const counts = topic('counts', { key: string(), value: int32(), partitions: 1 });
const windows = clicks.pipe(
  windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'per-minute' }),
  to(counts),
);

async function running(pipeline: Parameters<typeof run>[0]) {
  const said: [level: string, message: string][] = [];
  const say = (level: string) => (_: object, message: string) => void said.push([level, message]);
  const logger = { debug() {}, info: say('info'), warn: say('warn'), error: say('error') };
  const transport = memoryTransport();
  const client = await connect({ transport });
  const clock = new VirtualClock(0);
  const app = run(pipeline, { applicationId: 'app', transport, logger, clock: { ...machine(clock) } });
  await app.ready;
  const warnings = (): string[] => said.filter(([level]) => level === 'warn').map(([, message]) => message);
  const infos = (): string[] => said.filter(([level]) => level === 'info').map(([, message]) => message);
  /** Lets a commit that is under way come to its end. */
  const quiet = async (): Promise<void> => {
    clock.advance(1100);
    await vi.waitFor(() => expect(app.snapshot()).toMatchObject({ waitingFor: [], lag: 0 }));
  };
  return { app, client, clock, infos, quiet, warnings };
}

/** Timers by the virtual clock; what is due soon comes by itself. */
function machine(clock: VirtualClock) {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms: number, callback: () => void) => clock.after(ms, callback),
    soon: (callback: () => void) => void setImmediate(callback),
  };
}

describe('an application without progress', () => {
  it('says within ten seconds that its topics are empty, and where, once as a warning', async () => {
    const { app, clock, infos, quiet, warnings } = await running(windows);
    await quiet();
    clock.advance(5900);
    expect(warnings()).toEqual([]);
    clock.advance(3000);
    expect(warnings()).toEqual(['no record was processed for 8 s: topic clicks is empty on the log in memory']);
    clock.advance(50_000);
    expect(warnings()).toHaveLength(1);
    expect(infos()).toContainEqual(expect.stringContaining('for 48 s: topic clicks is empty'));
    await app.stop();
    clock.advance(600_000);
    expect(infos().filter((message) => message.includes('no record'))).toHaveLength(1);
  });

  it('says which windows wait, and for what', async () => {
    const { app, client, clock, quiet, warnings } = await running(windows);
    await client.publishAll(clicks, [
      { key: 'a', value: 1, timestamp: 60_000 },
      { key: 'b', value: 1, timestamp: 61_000 },
    ]);
    await vi.waitFor(() => expect(app.snapshot()).toMatchObject({ recordsIn: 2 }));
    await quiet();
    clock.advance(20_000);
    expect(warnings()).toEqual([
      'no record was processed for 8 s: all records are read, and 1 window of per-minute waits for a record of ' +
        '1970-01-01T00:02:00.000Z or later, and its grace',
    ]);
    await app.stop();
    await client.close();
  });

  it('says what it waits for, each time that the time has grown', async () => {
    const stuck = clicks.pipe(
      mapAsync(() => new Promise<number>(() => undefined), { timeout: '10m', concurrency: 1 }),
      to(counts),
    );
    const { app, client, clock, warnings } = await running(stuck);
    await client.publishAll(clicks, [
      { key: 'a', value: 1, timestamp: 0 },
      { key: 'a', value: 2, timestamp: 0 },
    ]);
    await vi.waitFor(() => expect(app.snapshot().tasks[0]?.pendingAsync).toBe(1));
    clock.advance(75_000);
    expect(warnings().map((message) => /for (\d+) s: it waits for .*async/.exec(message)?.[1])).toEqual(['8', '48']);
    clock.advance(600_000);
    await app.done.catch(() => undefined);
    await client.close();
  });

  it('says so of calls that do not come back, also when there is nothing more to read', async () => {
    const stuck = clicks.pipe(
      mapAsync(() => new Promise<number>(() => undefined), { timeout: '10m', concurrency: 4 }),
      to(counts),
    );
    const { app, client, clock, warnings } = await running(stuck);
    await client.publish(clicks, { key: 'a', value: 1, timestamp: 0 });
    await vi.waitFor(() => expect(app.snapshot()).toMatchObject({ lag: 0, tasks: [{ pendingAsync: 1 }] }));
    clock.advance(20_000);
    expect(warnings()).toEqual(['no record was processed for 8 s: it waits for 1 asynchronous call of task clicks/0']);
    clock.advance(600_000);
    await app.done.catch(() => undefined);
    await client.close();
  });
});

describe('why an application is idle', () => {
  const input = { topic: 'clicks', partition: 0, position: 7, end: 9, lag: 2, streamTime: 0 };
  const task = { inputs: [input], stores: [] };
  const snapshot = (part: object): AppSnapshot => ({ waitingFor: [], tasks: [task], lag: 2, ...part }) as never;

  it('is a fault where records lie there and nothing is waited for', () => {
    expect(whyIdle(snapshot({}))).toEqual({
      usual: false,
      message: 'there are records to read, 2 of clicks/0 from offset 7, and no task takes them',
    });
  });

  it('is that other processes have all tasks', () => {
    expect(whyIdle(snapshot({ tasks: [], lag: undefined }))).toMatchObject({ usual: true });
  });

  it('is nothing where all is done', () => {
    const done = { ...task, inputs: [{ ...input, position: 9, lag: 0 }] };
    expect(whyIdle(snapshot({ tasks: [done], lag: 0 }))).toBeUndefined();
  });
});
