import fc from 'fast-check';
import {
  agg,
  aggregate,
  hopping,
  joinTable,
  json,
  keyBy,
  mapValues,
  nullable,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import { TestDriver, type TestDriverOptions } from 'millrace/testing';
import { merge, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

const clicks = topic('clicks', { key: nullable(string()), value: nullable(json<number>()) });
const shuffle = topic('shuffle', { key: string(), value: nullable(json<number>()) });
const rows = topic('users', { key: nullable(string()), value: nullable(json<string>()) });
const users = table('users', { key: string(), value: json<string>() });
const closed = topic('closed', { key: string(), value: json<unknown>() });
const updated = topic('updated', { key: string(), value: json<unknown>() });
const totals = topic('totals', { key: string(), value: json<unknown>() });
const late = topic('late', { key: string(), value: json<unknown>() });
const outputs = [closed, updated, totals, late];

/** Everything that keeps state, in two stages. */
const pipeline = (() => {
  const keyed = clicks.pipe(
    keyBy((n, { key }) => (typeof key === 'string' ? `${key}${n === null ? '' : n % 2}` : null)),
    through(shuffle),
  );
  return [
    keyed.pipe(
      windowBy(
        hopping({ size: '10ms', advance: '4ms', grace: '3ms' }),
        { n: agg.count(), sum: agg.sum((n: number | null) => n ?? 0) },
        {
          store: 'closed',
          late: (records) =>
            records.pipe(
              mapValues((n, { late: { missed, partial, streamTime } }) => [n, missed, partial, streamTime]),
              to(late),
            ),
        },
      ),
      joinTable(users, (value, name) => ({ ...value, name }), { type: 'left' }),
      spans,
      to(closed),
    ),
    keyed.pipe(
      windowBy(
        tumbling({ size: '7ms', grace: '0s' }),
        agg.max((n: number | null) => n ?? 0),
        { store: 'updated', emit: 'updates' },
      ),
      spans,
      to(updated),
    ),
    merge(keyed).pipe(
      aggregate(
        agg.custom({
          init: () => '',
          add: (text: string, n: number | null) => (text.length > 6 ? null : `${text}${n}`),
        }),
        { store: 'totals' },
      ),
      to(totals),
    ),
  ];
})();

function spans<K>(source: Observable<WindowedRecord<K, unknown>>): Observable<WindowedRecord<K, unknown[]>> {
  return source.pipe(mapValues((value, { window }) => [window, value]));
}

interface Step {
  readonly record: { readonly key: string | null; readonly value: number | null; readonly timestamp: number };
  readonly user: { readonly key: string; readonly value: string | null } | undefined;
  readonly restart: boolean;
  readonly together: boolean;
}

const keys = fc.constantFrom('a', 'é', '\uFF21', '\u{1F600}');
const step: fc.Arbitrary<Step> = fc.record({
  record: fc.record({
    key: fc.option(keys, { freq: 8 }),
    value: fc.option(fc.nat({ max: 9 }), { freq: 8 }),
    timestamp: fc.nat({ max: 60 }),
  }),
  user: fc.option(
    fc.record({ key: keys.map((key) => `${key}1`), value: fc.option(fc.string({ maxLength: 3 }), { freq: 4 }) }),
    { nil: undefined },
  ),
  restart: fc.boolean(),
  together: fc.boolean(),
});

/** Every row of every output, in order, after feeding the steps. */
function outcome(steps: readonly Step[], options: TestDriverOptions, restarts: boolean): unknown {
  const driver = new TestDriver(pipeline, options);
  const written: unknown[] = [];
  const collect = (): void => {
    for (const each of outputs) {
      for (const { key, partition, timestamp, value } of driver.read(each))
        written.push([each.name, partition, key, timestamp, value]);
    }
  };
  for (const { record, restart, user } of steps) {
    if (user !== undefined) driver.pipe(rows, { ...user, timestamp: 0 });
    driver.pipe(clicks, record);
    collect();
    if (restart && restarts) driver.restart();
  }
  driver.end('close');
  collect();
  return { written, stores: ['closed', 'updated', 'totals', 'users'].map((name) => [...driver.store(name).entries()]) };
}

describe('state', () => {
  it('makes a restart between any two records invisible', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.constantFrom(1, 2, 3), (steps, partitions) => {
        expect(outcome(steps, { partitions }, true)).toEqual(outcome(steps, { partitions }, false));
      }),
      { numRuns: 150 },
    );
  });

  it('makes the size of the cache invisible', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.constantFrom(1, 2), (steps, partitions) => {
        const large = outcome(steps, { partitions }, false);
        for (const cacheEntries of [0, 1, 3]) {
          expect(outcome(steps, { partitions, cacheEntries }, true)).toEqual(large);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('windows', () => {
  it('come to the same, in whatever order records come inside of grace', () => {
    const counts = topic('counts', { key: string(), value: json<unknown>() });
    const source = topic('source', { key: string(), value: json<number>() });
    const shuffled = fc
      .array(fc.record({ key: keys, value: fc.nat({ max: 9 }), timestamp: fc.nat({ max: 40 }) }), { maxLength: 30 })
      .chain((records) => fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })));
    const counted = source.pipe(
      windowBy(
        hopping({ size: '10ms', advance: '3ms', grace: '40ms' }),
        { n: agg.count(), max: agg.max((n: number) => n) },
        { store: 's' },
      ),
      spans,
      to(counts),
    );
    const run = (records: readonly { key: string; value: number; timestamp: number }[]): unknown => {
      const driver = new TestDriver(counted);
      driver.pipeAll(source, records);
      driver.end('close');
      expect(driver.late).toEqual([]);
      return driver.read(counts).map(({ key, timestamp, value }) => [key, timestamp, value]);
    };
    fc.assert(
      fc.property(shuffled, ([records, permuted]) => {
        const sorted = [...records].sort((left, right) => left.timestamp - right.timestamp);
        expect(run(permuted)).toEqual(run(sorted));
      }),
      { numRuns: 150 },
    );
  });

  it('hold every record exactly once: in windows, or among the late', () => {
    const counts = topic('counts', { key: string(), value: json<number>() });
    const source = topic('source', { key: string(), value: json<number>() });
    const windower = tumbling({ size: '10ms', grace: '5ms' });
    const counted = source.pipe(windowBy(windower, agg.count(), { store: 's' }), to(counts));
    fc.assert(
      fc.property(fc.array(fc.record({ key: keys, timestamp: fc.nat({ max: 200 }) }), { maxLength: 60 }), (records) => {
        const driver = new TestDriver(counted, { partitions: 2 });
        driver.pipeAll(
          source,
          records.map((record) => ({ ...record, value: 1 })),
        );
        driver.end('close');
        const counted_ = driver.read(counts).reduce((sum, { value }) => sum + (value as number), 0);
        expect(counted_ + driver.late.length).toBe(records.length);
      }),
      { numRuns: 150 },
    );
  });
});
