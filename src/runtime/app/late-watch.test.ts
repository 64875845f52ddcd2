import {
  agg,
  connect,
  json,
  keyBy,
  type Logger,
  memoryTransport,
  type Pipeline,
  run,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { VirtualClock } from 'millrace/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { plan } from '../../plan/topology.ts';
import type { Lateness } from '../../record.ts';
import { LateWatch } from './late-watch.ts';

const clicks = topic('clicks', { key: string(), value: json<number>(), partitions: 1 });
const shuffle = topic('shuffle', { key: string(), value: json<number>() });
const counts = topic('counts', { key: string(), value: json<number>() });
const MINUTE = tumbling({ size: '1m', grace: '0s' });
const NOON = Date.UTC(2026, 0, 1, 12);

interface Said {
  readonly late: number;
  readonly records: number;
  readonly share: number;
  readonly highestMs: number;
  readonly typicalMs: number;
  readonly streamTime: number;
  readonly step: string;
}

let warnings: (readonly [Said, string])[] = [];
const logger: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => void warnings.push([fields as Said, message]),
  error() {},
};
beforeEach(() => {
  warnings = [];
});

describe('late records', () => {
  const [stage] = plan(clicks.pipe(windowBy(MINUTE, agg.count(), { store: 'w' }))).stages;
  const at = { key: 'a', value: 1, timestamp: NOON, headers: [], topic: 'clicks', partition: 0, offset: 0 };
  const lateness = (step: string, lateMs: number): Lateness => ({
    step,
    streamTime: NOON + 60_000 + lateMs,
    reason: 'window closed',
    missed: [{ start: NOON, end: NOON + 60_000 }],
    partial: false,
  });

  function watch() {
    const clock = new VirtualClock(NOON);
    const counters = { recordsIn: 0, recordsOut: 0, late: 0, dropped: 0, skipped: 0, deadLettered: 0 };
    const tasks = new Map([['clicks/0', { stage: stage!, counters }]]);
    const made = new LateWatch(clock, { applicationId: 'app', logger }, [stage!], tasks);
    const late = (count: number, lateMs = 1000, step = 'windowBy(w)'): void => {
      for (let n = 0; n < count; n += 1) made.late(at, lateness(step, lateMs), stage!);
    };
    const pass = (seconds: number, perSecond: number): void => {
      for (let second = 0; second < seconds; second += 1) {
        counters.recordsIn += perSecond;
        clock.advance(1000);
      }
    };
    return { late, pass, made };
  }

  it('are said when they are more than one in a thousand, once a minute', () => {
    const { late, pass } = watch();
    pass(10, 1000);
    late(10);
    pass(10, 0);
    expect(warnings, 'ten of ten thousand').toEqual([]);
    late(1);
    pass(10, 0);
    expect(warnings.map(([{ late: count, records }]) => [count, records])).toEqual([[11, 10_000]]);
    for (let second = 0; second < 40; second += 1) {
      late(5);
      pass(1, 100);
    }
    expect(warnings, 'not again within the minute').toHaveLength(1);
    pass(60, 0);
    expect(warnings.map(([{ late: count, records }]) => [count, records])).toEqual([
      [11, 10_000],
      [200, 4000],
    ]);
    pass(300, 0);
    expect(warnings, 'and not when there are no more').toHaveLength(2);
  });

  it('are compared with the records of the last minutes, not with all', () => {
    const { late, pass } = watch();
    pass(600, 1000);
    pass(120, 1);
    late(1);
    pass(10, 0);
    expect(warnings.map(([{ late: count, records }]) => [count, records <= 120])).toEqual([[1, true]]);
  });

  it('are said with count, share, how late, and stream time', () => {
    const { late, made, pass } = watch();
    pass(1, 100);
    late(30, 2000);
    late(1, 90_000_000);
    late(28, 2000);
    made.close();
    const [[fields, message] = []] = warnings;
    expect(fields).toMatchObject({
      step: 'windowBy(w)',
      late: 59,
      records: 100,
      share: 0.59,
      highestMs: 90_000_000,
      typicalMs: 2000,
      streamTime: NOON + 90_060_000,
    });
    expect(message).toBe(
      '59 of 100 records (59 %) came too late for their windows in windowBy(w): typically 2s after the end of the window, ' +
        '1d at most; stream time is 2026-01-02T13:01:00.000Z. The records of clicks are out of order by more than the ' +
        'grace, or one of several producers or partitions upstream is ahead of the others in event time; a grace above 1d ' +
        'would have let them in',
    );
  });

  it('are said by step', () => {
    const { late, made, pass } = watch();
    pass(1, 10);
    late(1, 1000, 'windowBy(one)');
    late(2, 1000, 'windowBy(two)');
    made.close();
    made.close();
    expect(warnings.map(([{ late: count, step }]) => [step, count])).toEqual([
      ['windowBy(one)', 1],
      ['windowBy(two)', 2],
    ]);
  });
});

describe('an application', () => {
  async function runOn(pipeline: Pipeline, timestamps: readonly number[], partitions = 1): Promise<void> {
    const transport = memoryTransport();
    const client = await connect({ transport });
    await client.topics.create('clicks', { partitions });
    await client.publishAll(
      clicks,
      timestamps.map((timestamp, n) => ({ key: `k${n}`, value: 1, timestamp })),
    );
    await run(pipeline, { applicationId: 'late', transport, until: 'end', openWindows: 'keep', logger }).done;
    await client.close();
  }

  it('says before it ends how much came too late', async () => {
    const pipeline = clicks.pipe(windowBy(MINUTE, agg.count(), { store: 'w' }), to(counts));
    await runOn(pipeline, [0, 600_000, 1, 2, 600_001]);
    expect(warnings.map(([fields, message]) => [fields, message.slice(0, 35)])).toEqual([
      [
        expect.objectContaining({ late: 2, records: 5, share: 0.4, highestMs: 540_000, stage: 'clicks' }),
        '2 of 5 records (40 %) came too late',
      ],
    ]);
  });

  it('says nothing when all is in time', async () => {
    await runOn(clicks.pipe(windowBy(MINUTE, agg.count(), { store: 'w' }), to(counts)), [0, 600_000, 600_001]);
    expect(warnings).toEqual([]);
  });

  it('names the shuffle that the records came through', async () => {
    const pipeline = clicks.pipe(
      keyBy(() => 'one'),
      through(shuffle),
      windowBy(MINUTE, agg.count(), { store: 'w' }),
      to(counts),
    );
    await runOn(pipeline, [600_000, 0, 1, 600_001]);
    expect(warnings.map(([, message]) => message)).toEqual([expect.stringMatching(/Several tasks write to shuffle: /)]);
  });
});
