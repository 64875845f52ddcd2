import fc from 'fast-check';
import {
  agg,
  aggregate,
  output as emits,
  filterValues,
  json,
  keyValue,
  nullable,
  process,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver, type TestDriverOptions } from 'millrace/testing';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

const SIZE = 10;
const GRACE = 4;

const clicks = topic('clicks', { key: nullable(string()), value: nullable(json<number>()) });
const rows = topic('rows', { key: string(), value: json<unknown>() });

/** Tumbling windows, as a user would write them. What is left out above moves no time, as null values do not in ours. */
const windowsByHand = clicks.pipe(
  filterValues((value) => value !== null),
  process({
    name: 'by-hand',
    stores: {
      open: keyValue('open', { key: json<[start: number, key: string]>(), value: json<[sum: number, at: number]>() }),
    },
    timers: { close: 'stream-time' },
    emits: emits<[start: number, sum: number]>(),
    next({ timestamp, value }, { key, late, stores, streamTime, timers }) {
      const start = timestamp - (timestamp % SIZE);
      const closes = start + SIZE + GRACE;
      if (closes <= streamTime) return late([{ start, end: start + SIZE }]);
      const [sum, at] = stores.open.get([start, key]) ?? [0, -1];
      stores.open.set([start, key], [sum + value, Math.max(at, timestamp)]);
      timers.close.add(closes);
    },
    due: {
      close({ key, time }, { emit, stores }) {
        const start = time - SIZE - GRACE;
        const [sum, timestamp] = stores.open.get([start, key]) as [number, number];
        stores.open.delete([start, key]);
        emit([start, sum], { timestamp });
      },
    },
  }),
  to(rows),
);

const ourWindows = clicks.pipe(
  windowBy(
    tumbling({ size: `${SIZE}ms`, grace: `${GRACE}ms` }),
    agg.sum((n: number | null) => n ?? 0),
    { store: 'ours' },
  ),
  map((row) => ({ ...row, value: [row.window.start, row.value] })),
  to(rows),
);

const sumByHand = clicks.pipe(
  process({
    name: 'by-hand',
    stores: { sums: keyValue('sums', { value: json<[sum: number, at: number]>() }) },
    emits: emits<number | null>(),
    next({ timestamp, value }, { drop, emit, key, stores }) {
      if (value === null) return drop('null value');
      const [before, at] = stores.sums.get(key) ?? [0, -1];
      const sum = before + value;
      const latest = Math.max(at, timestamp);
      if (sum > 20) stores.sums.delete(key);
      else stores.sums.set(key, [sum, latest]);
      emit(sum > 20 ? null : sum, { timestamp: latest });
    },
  }),
  to(rows as never),
);

const ourSum = clicks.pipe(
  aggregate(
    agg.custom({
      init: () => 0,
      add: (sum: number, n: number | null) => (sum + (n ?? 0) > 20 ? null : sum + (n ?? 0)),
    }),
    { store: 'ours' },
  ),
  to(rows),
);

interface Step {
  readonly key: string | null;
  readonly value: number | null;
  readonly timestamp: number;
  readonly restart: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  key: fc.option(fc.constantFrom('a', 'é', '\uFF21', '\u{1F600}'), { freq: 8 }),
  value: fc.option(fc.nat({ max: 9 }), { freq: 8 }),
  timestamp: fc.nat({ max: 80 }),
  restart: fc.boolean(),
});

function outcome(pipeline: Observable<unknown>, steps: readonly Step[], options: TestDriverOptions): unknown {
  const driver = new TestDriver(pipeline, options);
  const written: unknown[] = [];
  const collect = (): void => {
    for (const { headers, key, partition, timestamp, value } of driver.read(rows)) {
      written.push([partition, key, timestamp, value, headers]);
    }
  };
  for (const { restart, ...record } of steps) {
    driver.pipe(clicks, record);
    collect();
    if (restart) driver.restart();
  }
  driver.end('close');
  collect();
  const late = driver.late.map(({ key, late: { missed, partial, streamTime }, timestamp }) => {
    return [key, timestamp, missed, partial, streamTime];
  });
  return { written, late };
}

describe('a process step', () => {
  const same = (byHand: Observable<unknown>, ours: Observable<unknown>): void => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom(1, 2, 3),
        fc.constantFrom(0, 1, 100_000),
        (steps, partitions, cacheEntries) => {
          const calm = steps.map((each) => ({ ...each, restart: false }));
          expect(outcome(byHand, steps, { partitions, cacheEntries })).toEqual(outcome(ours, calm, { partitions }));
        },
      ),
      { numRuns: 150 },
    );
  };

  it('that does what tumbling windows do gives the same rows, with restarts anywhere', () => {
    same(windowsByHand, ourWindows);
  });

  it('that does what aggregate does gives the same rows, with restarts anywhere', () => {
    same(sumByHand, ourSum);
  });

  it('leaves no trace of records that fail, and of timers that do', () => {
    const failing = (fails: (value: number) => boolean): Observable<unknown> =>
      clicks.pipe(
        process({
          name: 'failing',
          stores: { sum: keyValue('sum', { value: json<number>() }) },
          timers: { tell: 'stream-time' },
          emits: emits<number>(),
          next({ timestamp, value }, { emit, key, stores, timers }) {
            const sum = (stores.sum.get(key) ?? 0) + (value ?? 0);
            stores.sum.set(key, sum);
            emit(sum);
            timers.tell.set(timestamp + 5);
            timers.tell.add(timestamp + 7);
            if (fails(value ?? 0)) throw new Error('fails');
          },
          due: { tell: ({ time }, { emit }) => emit(-time) },
        }),
        to(rows),
      );
    const orderly = fc.array(step, { maxLength: 30 }).map((steps) => {
      return steps.map((each, at) => ({ ...each, key: each.key ?? 'a', timestamp: 2 * at }));
    });
    fc.assert(
      fc.property(orderly, (steps) => {
        const good = steps.filter(({ value }) => (value ?? 0) <= 6);
        const last = { key: 'z', value: 0, timestamp: 1_000, restart: false };
        const rowsOf = (fed: readonly Step[]): unknown =>
          (
            outcome(
              failing((value) => value > 6),
              [...fed, last],
              { onRecordError: 'skip' },
            ) as { written: unknown }
          ).written;
        expect(rowsOf(steps)).toEqual(rowsOf(good));
      }),
      { numRuns: 100 },
    );
  });
});
