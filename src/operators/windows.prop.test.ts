import fc from 'fast-check';
import {
  agg,
  json,
  mapValues,
  session,
  sliding,
  string,
  to,
  topic,
  tumbling,
  type WindowEmit,
  type WindowedRecord,
  type Windower,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { difference } from '../../scripts/conformance/compare.ts';
import type { Input, Params, Step } from '../../scripts/conformance/format.ts';
import { windowedModel } from '../../scripts/conformance/models/windowed.ts';
import { windowed } from '../../scripts/conformance/pipelines/windowed.ts';
import { runCase } from '../../scripts/conformance/run-case.ts';

const SHORT = 12;
const grace = fc.nat({ max: SHORT });
const emit = fc.constantFrom('update', 'close');
const aggregate = fc.constantFrom('count', 'concat', 'sum', 'reduce');
const shapes = {
  tumbling: { window: fc.constant('tumbling'), size: fc.integer({ min: 1, max: SHORT }), grace, emit, aggregate },
  hopping: {
    window: fc.constant('hopping'),
    size: fc.integer({ min: 6, max: SHORT }),
    advance: fc.integer({ min: 1, max: 6 }),
    grace,
    emit,
    aggregate,
  },
  sliding: { window: fc.constant('sliding'), timeDifference: fc.nat({ max: SHORT }), grace, emit, aggregate },
  session: { window: fc.constant('session'), gap: fc.integer({ min: 1, max: SHORT }), grace, emit, aggregate },
  unlimited: {
    window: fc.constant('unlimited'),
    start: fc.nat({ max: 20 }),
    grace: fc.constant(0),
    emit: fc.constant('update'),
    aggregate,
  },
} as const;

/** Records that mostly move on, with ties, jumps back, and now and then a far jump. */
const arrivals = fc
  .array(
    fc.record({
      key: fc.constantFrom('a', 'a', 'b', 'é', null),
      value: fc.option(fc.nat({ max: 9 }), { freq: 9 }),
      by: fc.oneof(
        { weight: 12, arbitrary: fc.integer({ min: -15, max: 9 }) },
        { weight: 1, arbitrary: fc.integer({ min: 10, max: 60 }) },
      ),
    }),
    { maxLength: 24 },
  )
  .map((steps) => {
    let at = 0;
    return steps.map(({ by, key, value }): Step => {
      at = Math.max(0, at + by);
      const record: Input = { topic: 'in', key, value, timestamp: at };
      return { in: record, out: [] };
    });
  });

const ways = fc.record({ cacheEntries: fc.constantFrom(0, 2, 1000), batch: fc.constantFrom(1, 5), restarts: fc.nat() });

describe('windows', () => {
  it.each(Object.keys(shapes) as (keyof typeof shapes)[])(
    'of the kind %s give what a naive model gives, in any batches and with restarts',
    (kind) => {
      const shape: Readonly<Record<string, fc.Arbitrary<unknown>>> = shapes[kind];
      const params: fc.Arbitrary<Params> = fc.record(shape);
      let runs = 0;
      fc.assert(
        fc.property(params, arrivals, ways, (wanted, steps, { batch, cacheEntries, restarts }) => {
          const expected = windowedModel(
            wanted,
            steps.map((step) => step.in),
          );
          const outcome = runCase(windowed(wanted), steps, {
            applicationId: `${kind}-${(runs += 1)}`,
            cacheEntries,
            batch,
            restartAfter: (group) => ((restarts >> (group % 24)) & 1) === 1,
          });
          expect(difference(expected, outcome)).toBeUndefined();
        }),
        { numRuns: 1_000 },
      );
    },
  );
});

const source = topic('source', { key: string(), value: json<number>() });
const rows = topic('rows', { key: string(), value: json<unknown>() });
const spans = <K>(from: Observable<WindowedRecord<K, unknown>>): Observable<WindowedRecord<K, unknown[]>> =>
  from.pipe(mapValues((value, { window }) => [window.start, window.end, value]));
const records = fc.array(
  fc.record({ key: fc.constantFrom('a', 'b', 'é'), value: fc.nat({ max: 9 }), timestamp: fc.nat({ max: 60 }) }),
  { maxLength: 24 },
);

describe('sessions', () => {
  it('do not depend on the order in which records come inside of grace', () => {
    const permuted = records.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
    );
    const run = (all: readonly { key: string; value: number; timestamp: number }[], gap: number): unknown => {
      const driver = new TestDriver(
        source.pipe(
          windowBy(
            session({ gap: `${gap}ms`, grace: '60ms' }),
            { n: agg.count(), sum: agg.sum((n: number) => n), max: agg.max((n: number) => n) },
            { store: 's' },
          ),
          spans,
          to(rows),
        ),
      );
      driver.pipeAll(source, all);
      driver.end('close');
      expect(driver.late).toEqual([]);
      return driver.read(rows).map(({ key, timestamp, value }) => [key, timestamp, value]);
    };
    fc.assert(
      fc.property(permuted, fc.integer({ min: 1, max: 12 }), ([all, other], gap) => {
        expect(run(other, gap)).toEqual(run(all, gap));
      }),
      { numRuns: 1_000 },
    );
  });
});

/** What somebody knows who keeps the last row of each key and window. */
class Known {
  readonly rows = new Map<string, unknown>();
  readonly driver: TestDriver;

  constructor(windower: Windower, emit: WindowEmit) {
    const pipeline = source.pipe(windowBy(windower, agg.count(), { store: 's', emit }), spans, to(rows));
    this.driver = new TestDriver(pipeline, { cacheEntries: 2 });
  }

  /** Rows since the last call, applied. */
  apply(): void {
    for (const { key, timestamp, value } of this.driver.read(rows)) {
      const [start, end, count] = value as [number, number, number | null];
      const name = `${key} ${start} ${end}`;
      if (count === null) this.rows.delete(name);
      else this.rows.set(name, [count, timestamp]);
    }
  }
}

describe('rows at intervals', () => {
  const windowers: fc.Arbitrary<Windower> = fc
    .record({ kind: fc.constantFrom('tumbling', 'sliding', 'session'), size: fc.integer({ min: 1, max: 12 }), grace })
    .map(({ grace: late, kind, size }) => {
      if (kind === 'tumbling') return tumbling({ size: `${size}ms`, grace: `${late}ms` });
      if (kind === 'sliding') return sliding({ difference: `${size}ms`, grace: `${late}ms` });
      return session({ gap: `${size}ms`, grace: `${late}ms` });
    });

  it('tell at each interval, and at the end, what rows on update tell', () => {
    fc.assert(
      fc.property(windowers, fc.integer({ min: 1, max: 20 }), records, fc.nat(), (windower, every, all, restarts) => {
        const often = new Known(windower, 'updates');
        const seldom = new Known(windower, { every: `${every}ms` });
        let streamTime = -1;
        for (const [at, record] of all.entries()) {
          for (const { driver } of [often, seldom]) driver.pipe(source, record);
          const due = Math.floor(Math.max(streamTime, record.timestamp) / every) > Math.floor(streamTime / every);
          streamTime = Math.max(streamTime, record.timestamp);
          if (due) {
            often.apply();
            seldom.apply();
            expect(seldom.rows).toEqual(often.rows);
          }
          if (((restarts >> (at % 24)) & 1) === 1) seldom.driver.restart();
        }
        for (const { driver } of [often, seldom]) driver.end('close');
        for (const known of [often, seldom]) known.apply();
        expect(seldom.rows).toEqual(often.rows);
      }),
      { numRuns: 1_000 },
    );
  });
});
