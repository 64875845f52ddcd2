import {
  agg,
  deadLetter,
  describePipeline,
  globalTable,
  joinStream,
  joinTable,
  json,
  keyBy,
  mapValues,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { shown, thrown } from '../operators/operators.fixtures.ts';

interface Trip {
  readonly at?: unknown;
  readonly name?: string;
}

const trips = topic('trips', { key: string(), value: json<Trip>() });
const out = topic('out', { key: string(), value: json<unknown>() });
const options = { key: string(), value: json<Trip>() };
const at = (trip: Trip | null): number => trip?.at as number;
const second = tumbling({ size: '1s', grace: '0s' });

describe('the timestamp of a source (TM-6)', () => {
  it('is that of the payload, for windows and for the rows that are written', () => {
    const source = topic('trips', { ...options, timestamp: at });
    const driver = new TestDriver(source.pipe(windowBy(second, agg.count(), { store: 'counts' }), to(out)));
    for (const time of [0, 100, 900, 1000]) driver.pipe(trips, { key: 'a', value: { at: time }, timestamp: 7777 });
    expect(shown(driver.read(out))).toEqual(['a=3@900']);
    expect(driver.tasks()[0]?.inputs[0]).toMatchObject({ streamTime: 1000 });
  });

  it('may be chosen from several in one record, and from the one in the topic', () => {
    const source = topic('trips', { ...options, timestamp: (trip, { timestamp }) => (trip.at as number) ?? timestamp });
    const driver = new TestDriver(source.pipe(to(out)));
    driver.pipe(trips, { key: 'a', value: { at: 5 }, timestamp: 77 });
    driver.pipe(trips, { key: 'b', value: {}, timestamp: 78 });
    expect(driver.read(out).map(({ timestamp }) => timestamp)).toEqual([5, 78]);
  });

  it('orders the inputs of a task, so that a table is as it was then', () => {
    const names = table('names', { ...options, timestamp: at });
    const source = topic('trips', { ...options, timestamp: at });
    const joined = source.pipe(
      joinTable(names, (_, { name }) => name ?? null),
      to(out),
    );
    const driver = new TestDriver(joined);
    driver.batch(() => {
      for (const time of [10, 30]) driver.pipe(trips, { key: 'a', value: { at: time }, timestamp: 0 });
      const rows = topic('names', options);
      for (const time of [5, 20])
        driver.pipe(rows, { key: 'a', value: { at: time, name: `of ${time}` }, timestamp: 9 });
    });
    expect(shown(driver.read(out))).toEqual(['a="of 5"@10', 'a="of 20"@30']);
  });

  it('is the time of both sides of a join, and passes shuffles on', () => {
    const moved = topic('moved', options);
    const other = topic('others', { ...options, timestamp: at });
    const pipeline = topic('trips', { ...options, timestamp: at }).pipe(
      keyBy(({ name }) => name as string),
      through(moved),
      joinStream(other, () => 'met', { store: 'met', within: '5ms', grace: '0s' }),
      to(out),
    );
    const driver = new TestDriver(pipeline, { partitions: 2 });
    driver.pipe(trips, { key: 'x', value: { at: 100, name: 'a' }, timestamp: 1 });
    driver.pipe(topic('others', options), { key: 'a', value: { at: 105 }, timestamp: 1_000_000 });
    driver.pipe(topic('others', options), { key: 'a', value: { at: 106 }, timestamp: 100 });
    expect(shown(driver.read(out))).toEqual(['a="met"@105']);
  });

  it('sees tombstones of a table as null, and ends rows by its time', () => {
    const rows = topic('names', { key: string(), value: json<Trip>() });
    const names = table('names', { ...options, ttl: '10ms', timestamp: (row, { timestamp }) => at(row) ?? timestamp });
    const source = topic('trips', { ...options, timestamp: at });
    const pipeline = source.pipe(
      joinTable(names, (_, row) => row?.name ?? 'nobody', { type: 'left' }),
      to(out),
    );
    const driver = new TestDriver(pipeline);
    driver.pipe(rows, { key: 'a', value: { at: 100, name: 'Ada' }, timestamp: 5 });
    driver.pipe(rows, { key: 'b', value: { at: 100, name: 'Bob' }, timestamp: 5 });
    driver.pipe(rows, { key: 'b', value: null, timestamp: 101 });
    for (const [key, time] of [
      ['a', 109],
      ['b', 109],
      ['a', 110],
    ] as const)
      driver.pipe(trips, { key, value: { at: time }, timestamp: 0 });
    expect(shown(driver.read(out))).toEqual(['a="Ada"@109', 'b="nobody"@109', 'a="nobody"@110']);
  });

  it('is that of each topic of a pattern', () => {
    const source = topic(/^trips-/, { ...options, timestamp: at });
    const driver = new TestDriver(source.pipe(to(out)));
    driver.pipe(topic('trips-a', options), { key: 'a', value: { at: 3 }, timestamp: 70 });
    driver.pipe(topic('trips-b', options), { key: 'b', value: { at: 4 }, timestamp: 60 });
    expect(shown(driver.read(out).map((record) => ({ ...record, value: 0 })))).toEqual(['a=0@3', 'b=0@4']);
  });

  it('is refused by maxFutureSkew as that of the topic is', () => {
    const driver = new TestDriver(topic('trips', { ...options, timestamp: at }).pipe(to(out)));
    driver.pipe(trips, { key: 'a', value: { at: Number.MAX_SAFE_INTEGER } });
    expect(driver.read(out)).toMatchObject([{ timestamp: Number.MAX_SAFE_INTEGER }]);
  });
});

describe('a timestamp that is none (TM-6)', () => {
  const wrong = [-1, -5, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '7', null, undefined, new Date(5), 5n];

  it('is a failure of the record, which moves no time', () => {
    for (const value of wrong) {
      const source = topic('trips', { ...options, timestamp: () => value as number });
      const driver = new TestDriver(source.pipe(to(out)));
      const error = thrown(() => driver.pipe(trips, { key: 'a', value: {} }));
      expect(error, String(value)).toMatchObject({ code: 'ERR_TIMESTAMP', topic: 'trips', partition: 0, offset: 0 });
    }
  });

  it('can be skipped, or put aside as the record was', () => {
    const timestamps = [3, Number.NaN, 4];
    for (const onRecordError of ['skip', deadLetter('bad-trips')] as const) {
      const source = topic('trips', { ...options, onRecordError, timestamp: at });
      const driver = new TestDriver(source.pipe(to(out)));
      for (const time of timestamps) driver.pipe(trips, { key: 'a', value: { at: time }, timestamp: 50 });
      expect(driver.read(out).map(({ timestamp }) => timestamp)).toEqual([3, 4]);
      const counted = onRecordError === 'skip' ? { skipped: 1 } : { deadLettered: 1 };
      expect(driver.tasks()[0]).toMatchObject({ recordsIn: 3, ...counted });
      if (onRecordError === 'skip') continue;
      expect(driver.deadLetters).toMatchObject([{ code: 'ERR_TIMESTAMP' }]);
    }
  });

  it('is replaced where that is wanted: by that of the topic, of the partition, or of the clock', () => {
    const times = (onInvalidTimestamp: 'record-time' | 'partition-time' | 'wall-clock'): number[] => {
      const source = topic('trips', { ...options, onInvalidTimestamp, timestamp: at });
      const driver = new TestDriver(source.pipe(to(out)), { startTime: 1_000 });
      for (const time of [9, 4, -1, 5]) driver.pipe(trips, { key: 'a', value: { at: time }, timestamp: 50 });
      return driver.read(out).map(({ timestamp }) => timestamp);
    };
    expect(times('record-time')).toEqual([9, 4, 50, 5]);
    expect(times('partition-time')).toEqual([9, 4, 9, 5]);
    expect(times('wall-clock')).toEqual([9, 4, 1_000, 5]);
  });

  it('fails before there is any time of the partition', () => {
    const source = topic('trips', { ...options, onInvalidTimestamp: 'partition-time', timestamp: at });
    const driver = new TestDriver(source.pipe(to(out)));
    const error = thrown(() => driver.pipe(trips, { key: 'a', value: { at: -1 } }));
    expect(error).toMatchObject({ code: 'ERR_TIMESTAMP', message: expect.stringContaining('no record before it') });
  });

  it('is replaced by the same time after a restart, with and without stores (TM-3)', () => {
    for (const how of ['crash', 'stop'] as const) {
      const seen: number[] = [];
      const source = topic('trips', {
        ...options,
        onInvalidTimestamp: 'partition-time',
        timestamp: (trip, _, { partitionTime }) => {
          seen.push(partitionTime);
          return at(trip);
        },
      });
      const counts = source.pipe(windowBy(second, agg.count(), { store: 'counts', emit: 'updates' }), to(out));
      for (const pipeline of [source.pipe(to(out)), counts]) {
        seen.length = 0;
        const driver = new TestDriver(pipeline);
        for (const time of [90, 40, -1]) {
          driver.pipe(trips, { key: 'a', value: { at: time } });
          driver.restart(how);
        }
        expect(driver.read(out).at(-1)).toMatchObject({ timestamp: 90 });
        expect(seen).toEqual([-1, 90, 90]);
      }
    }
  });

  it('stands for what the topic says too, without a function', () => {
    const source = topic('trips', { ...options, onInvalidTimestamp: 'wall-clock' });
    const driver = new TestDriver(source.pipe(to(out)), { startTime: 1_000 });
    driver.pipe(trips, { key: 'a', value: {}, timestamp: 0 });
    expect(driver.read(out)).toMatchObject([{ timestamp: 0 }]);
  });

  it('comes of a function that throws as of other functions', () => {
    const source = topic('trips', {
      ...options,
      timestamp: () => {
        throw new Error('no clock');
      },
    });
    const driver = new TestDriver(source.pipe(to(out)));
    const error = thrown(() => driver.pipe(trips, { key: 'a', value: {} }));
    expect(error).toMatchObject({ code: 'ERR_USER_CODE', step: 'topic(trips)', offset: 0 });
  });
});

describe('declarations of timestamps', () => {
  it('are checked when the pipeline is written', () => {
    const wrong: [object, string][] = [
      [{ timestamp: 'at' }, 'ERR_OPTION'],
      [{ timestamp: async () => 5 }, 'ERR_ASYNC_FUNCTION'],
      [{ onInvalidTimestamp: 'skip' }, 'ERR_OPTION'],
      [{ onInvalidTimestamp: 'record-time' }, 'ERR_OPTION'],
    ];
    for (const [more, code] of wrong) {
      expect(
        thrown(() => topic('trips', { ...options, ...more })),
        JSON.stringify(more),
      ).toMatchObject({ code });
      expect(
        thrown(() => table('trips', { ...options, ...more })),
        JSON.stringify(more),
      ).toMatchObject({ code });
    }
    const global = { ...options, timestamp: () => 5 };
    expect(thrown(() => globalTable('trips', global))).toMatchObject({ code: 'ERR_OPTION' });
  });

  it('are refused for shuffles, which keep timestamps', () => {
    const shuffle = topic('moved', { ...options, timestamp: at });
    expect(thrown(() => trips.pipe(through(shuffle)))).toMatchObject({ code: 'ERR_OPTION' });
  });

  it('must agree where a topic is read as stream and table', () => {
    const read = (timestamp: (trip: Trip | null) => number) => {
      const rows = table('trips', { ...options, timestamp });
      return describePipeline(
        topic('trips', { ...options, timestamp: at }).pipe(
          joinTable(rows, (trip) => trip),
          to(out),
        ),
      );
    };
    expect(thrown(() => read(() => 5))).toMatchObject({ code: 'ERR_OPTION', topic: 'trips' });
    expect(read(at).stages).toHaveLength(1);
  });

  it('do not change what the topic is written with', () => {
    const target = topic('moved', { ...options, timestamp: () => 5 });
    const driver = new TestDriver(
      trips.pipe(
        mapValues((trip) => trip),
        to(target),
      ),
    );
    driver.pipe(trips, { key: 'a', value: {}, timestamp: 70 });
    expect(driver.read(target)).toMatchObject([{ timestamp: 70 }]);
  });
});
