import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  agg,
  aggregate,
  debounceByKey,
  hopping,
  joinStream,
  joinTable,
  json,
  mapAsync,
  mapValues,
  output,
  process,
  session,
  sliding,
  string,
  suppress,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
  windowBy,
} from '../../index.ts';
import { TestDriver, VirtualClock } from '../../testing/index.ts';
import { IdleWatch } from './idle-watch.ts';
import type { Task } from './task.ts';

const source = topic('source', { key: string(), value: json<number>() });
const other = topic('other', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<unknown>() });
const idle = { idle: '30s' } as const;

const at = (second: number, key = 'a', value = 1) => ({ key, value, timestamp: second * 1000 });
const rows = (driver: TestDriver): string[] =>
  driver.read(out).map(({ key, timestamp, value }) => `${key}=${JSON.stringify(value)}@${timestamp / 1000}`);
const minute = tumbling({ size: '60s', grace: '10s' });
const counted = source.pipe(windowBy(minute, agg.count(), { store: 'counts' }), to(out));

describe('a task that is silent', () => {
  it('closes windows when the clock has gone on far enough, and not before the silence', () => {
    const driver = new TestDriver(counted, idle);
    driver.pipe(source, at(55));
    driver.advanceTime('29s');
    expect(rows(driver)).toEqual([]);
    driver.advanceTime('1s');
    expect(rows(driver)).toEqual(['a=1@55']);
    driver.pipe(source, at(59));
    expect(driver.late).toHaveLength(1);
    expect(driver.late[0]?.late.streamTime).toBe(85_000);
  });

  it('waits for the end of a window that is further away than the silence', () => {
    const driver = new TestDriver(counted, idle);
    driver.pipe(source, at(5));
    for (const _ of [1, 2]) driver.advanceTime('32s');
    expect(rows(driver)).toEqual([]);
    driver.advanceTime('1s');
    expect(rows(driver)).toEqual(['a=1@5']);
  });

  it('does nothing without `idle`, before its first record, or when nothing is open', () => {
    const without = new TestDriver(counted);
    without.pipe(source, at(5));
    without.advanceTime('9h');
    expect(rows(without)).toEqual([]);
    const driver = new TestDriver(counted, idle);
    driver.advanceTime('9h');
    driver.pipe(source, at(5));
    driver.advanceTime('2h');
    expect(rows(driver)).toEqual(['a=1@5']);
    const before = driver.tasks()[0]?.stores;
    driver.advanceTime('9h');
    expect(driver.tasks()[0]?.stores).toEqual(before);
  });

  it('restarts the count of its silence with each record, and after a restart; closed windows stay closed', () => {
    const driver = new TestDriver(counted, idle);
    for (const second of [55, 56, 57]) {
      driver.pipe(source, at(second));
      driver.advanceTime('29s');
    }
    driver.restart();
    driver.advanceTime('29s');
    expect(rows(driver)).toEqual([]);
    driver.advanceTime('1s');
    expect(rows(driver)).toEqual(['a=3@57']);
    driver.restart();
    driver.pipe(source, at(58));
    expect(driver.late).toHaveLength(1);
    driver.advanceTime('9h');
    expect(rows(driver)).toEqual([]);
  });

  it('may be told by its topic, the longest where there are several', () => {
    const slow = topic('slow', { key: string(), value: json<number>(), idle: '1m' });
    const driver = new TestDriver(slow.pipe(windowBy(minute, agg.count(), { store: 'counts' }), to(out)), idle);
    driver.pipe(slow, at(59));
    driver.advanceTime('59s');
    expect(rows(driver)).toEqual([]);
    driver.advanceTime('1s');
    expect(rows(driver)).toEqual(['a=1@59']);
    expect(() => topic('none', { value: json(), idle: '0s' })).toThrow('idle is 0s');
    expect(() => new TestDriver(counted, { idle: '0s' })).toThrow('idle is 0s');
  });

  const count = agg.count();
  const pairs = (type: 'left' | 'outer') =>
    source.pipe(
      joinStream(other, (l, r) => [l, r], { store: 'pairs', within: '10s', grace: '5s', type: type as 'outer' }),
      to(out),
    );
  const prices = table('prices', { key: string(), value: json<number>(), history: '1m' });
  const silent = source.pipe(
    process({
      name: 'silent',
      timers: { since: 'stream-time' },
      emits: output<string>(),
      next({ timestamp }, { timers }) {
        timers.since.set(timestamp + 40_000);
      },
      due: { since: (_timer, { emit }) => emit('silent') },
    }),
    to(out),
  );
  for (const [name, pipeline, wanted] of [
    [
      'hopping',
      source.pipe(windowBy(hopping({ size: '20s', advance: '10s', grace: '0s' }), count, { store: 's' }), to(out)),
      ['a=2@59', 'a=2@59'],
    ],
    [
      'session',
      source.pipe(windowBy(session({ gap: '20s', grace: '5s' }), count, { store: 's' }), to(out)),
      ['a=2@59'],
    ],
    [
      'sliding',
      source.pipe(windowBy(sliding({ difference: '5s', grace: '5s' }), count, { store: 's' }), to(out)),
      ['a=1@50', 'a=1@59'],
    ],
    [
      'every',
      source.pipe(
        windowBy(tumbling({ size: '1h', grace: '0s' }), count, { store: 's', emit: { every: '90s' } }),
        to(out),
      ),
      ['a=1@50', 'a=2@59'],
    ],
    ['left join', pairs('left'), ['a=[1,null]@50', 'a=[1,null]@59']],
    ['outer join', pairs('outer'), ['a=[1,null]@50', 'a=[1,null]@59']],
    [
      'as-of join',
      source.pipe(
        joinTable(prices, (n, price) => [n, price], { type: 'left', grace: '20s', store: 's' }),
        to(out),
      ),
      ['a=[1,null]@50', 'a=[1,null]@59'],
    ],
    [
      'suppress',
      source.pipe(
        windowBy(minute, count, { store: 's', emit: 'updates' }),
        suppress({ until: 'close', store: 'calm' }),
        to(out),
      ),
      ['a=2@59'],
    ],
    ['debounce', source.pipe(debounceByKey('20s', { grace: '0s', store: 's' }), to(out)), ['a=1@59']],
    ['timers', silent, ['a="silent"@99']],
    [
      'rows with a time to live',
      table('source', { key: string(), value: json<number>(), ttl: '40s' }).pipe(
        toStream(),
        map((change) => ({ ...change, value: change.value ?? 'gone' })),
        to(out),
      ),
      ['a=1@50', 'a=1@59', 'a="gone"@99'],
    ],
    [
      'an aggregate with a time to live',
      source.pipe(
        aggregate(count, { store: 's', ttl: '40s' }),
        map((change) => ({ ...change, value: change.value ?? 'gone' })),
        to(out),
      ),
      ['a=1@50', 'a=2@59', 'a="gone"@99'],
    ],
    // Time of the second step goes on by the silence, and not by that from the first one's rows.
    [
      'windows of windows',
      source.pipe(
        windowBy(minute, count, { store: 's' }),
        windowBy(
          tumbling({ size: '60s', grace: '25s' }),
          agg.sum((n) => n),
          { store: 't' },
        ),
        to(out),
      ),
      ['a=2@59'],
    ],
    [
      'windows behind a topic',
      source.pipe(
        windowBy(minute, count, { store: 's' }),
        mapValues((n) => n + 1),
        through(topic('between', { key: string(), value: json<number>() })),
        windowBy(minute, count, { store: 't' }),
        to(out),
      ),
      ['a=1@59'],
    ],
  ] as const) {
    it(`moves time of ${name}, with restarts before and after`, () => {
      for (const [step, restart] of [
        ['45s', false],
        ['10s', false],
        ['45s', true],
      ] as const) {
        const driver = new TestDriver(pipeline, idle);
        for (const second of [50, 59]) driver.pipe(source, at(second));
        if (restart) driver.restart();
        const read: string[] = [];
        for (let n = 0; n < 12; n += 1) {
          driver.advanceTime(step);
          read.push(...rows(driver));
          if (restart && n === 5) driver.restart();
        }
        expect(read).toEqual(wanted);
        driver.advanceTime('1h');
        driver.end('close');
      }
    });
  }
});

describe('a task with records that it cannot take yet', () => {
  it('is not silent: time does not go on without them', async () => {
    const source = topic('busy', { key: string(), value: json<number>() });
    const target = topic('busy-counts', { key: string(), value: json<number>() });
    let answer: () => void = () => undefined;
    const slow = (n: number) => (n === 0 ? new Promise<number>((resolve) => (answer = () => resolve(n))) : n);
    const pipeline = source.pipe(
      mapAsync(slow),
      windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'busy' }),
      to(target),
    );
    const driver = new TestDriver(pipeline, { partitions: 2, idle: '30s' });
    driver.pipe(source, { key: 'b', value: 1, timestamp: 1_000, partition: 1 });
    await driver.settled();
    // A commit waits for this call, and no task takes records meanwhile.
    driver.pipe(source, { key: 'a', value: 0, timestamp: 1_000, partition: 0 });
    driver.pipe(source, { key: 'b', value: 2, timestamp: 2_000, partition: 1 });
    driver.advanceTime('1m');
    answer();
    await driver.settled();
    driver.end('close');
    expect(driver.late).toEqual([]);
    expect(driver.read(target).map(({ key, value }) => `${key} ${value}`)).toEqual(['a 1', 'b 2']);
  });
});

describe('IdleWatch', () => {
  it('does not let a task tick that has more to read, or does not know', () => {
    const clock = new VirtualClock(0);
    const ticks: number[] = [];
    let looks = 0;
    const task = {
      stage: { inputs: [] },
      activity: 1,
      isSilent: true,
      nextTickMs: () => 0,
      tick: (elapsed: number) => void ticks.push(elapsed),
    };
    const watch = new IdleWatch(10, clock, () => {
      looks += 1;
    });
    const look = (ms: number, knowing = true): number[] => {
      clock.advance(ms);
      watch.look([task as unknown as Task], () => knowing);
      return ticks.splice(0);
    };
    expect(look(0)).toEqual([]);
    expect(look(9)).toEqual([]);
    task.isSilent = false;
    expect(look(50)).toEqual([]);
    task.isSilent = true;
    expect(look(9)).toEqual([]);
    expect(look(1, false)).toEqual([]);
    expect(look(9)).toEqual([]);
    expect(look(1)).toEqual([10]);
    expect(look(9)).toEqual([]);
    expect(look(1)).toEqual([10]);
    task.activity = 2;
    expect(look(9)).toEqual([]);
    expect(look(9)).toEqual([]);
    expect(look(1)).toEqual([10]);
    expect(looks).toBeGreaterThan(0);
    watch.close();
  });
});
