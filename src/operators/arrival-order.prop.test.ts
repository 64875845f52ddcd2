import fc from 'fast-check';
import {
  agg,
  calendar,
  cumulate,
  hopping,
  joinStream,
  joinWindow,
  json,
  mapValues,
  session,
  sliding,
  string,
  to,
  topic,
  tumbling,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

const numbers = { key: string(), value: json<number>() };
const [lefts, rights] = [topic('lefts', numbers), topic('rights', numbers)];
const rows = topic('rows', { key: string(), value: json<unknown>() });
const spans = <K>(from: Observable<WindowedRecord<K, unknown>>): Observable<WindowedRecord<K, unknown[]>> =>
  from.pipe(mapValues((value, { window }) => [window.start, window.end, value]));

/** More than the span of all records, so that none is late. */
const LONG = '200ms';
const state = { n: agg.count(), sum: agg.sum((n: number) => n), max: agg.max((n: number) => n) };
const pipelines = {
  tumbling: () => lefts.pipe(windowBy(tumbling({ size: '7ms', grace: LONG }), state, { store: 's' }), spans, to(rows)),
  hopping: () =>
    lefts.pipe(
      windowBy(hopping({ size: '10ms', advance: '3ms', grace: LONG }), state, { store: 's' }),
      spans,
      to(rows),
    ),
  sliding: () =>
    lefts.pipe(windowBy(sliding({ difference: '9ms', grace: LONG }), state, { store: 's' }), spans, to(rows)),
  cumulate: () =>
    lefts.pipe(windowBy(cumulate({ size: '12ms', step: '4ms', grace: LONG }), state, { store: 's' }), spans, to(rows)),
  calendar: () =>
    lefts.pipe(
      windowBy(calendar({ unit: 'hour', zone: 'Asia/Kathmandu', grace: LONG }), state, { store: 's' }),
      spans,
      to(rows),
    ),
  'joinStream, inner': () =>
    lefts.pipe(
      joinStream(rights, (l, r) => [l, r], { store: 's', within: { before: '6ms', after: '3ms' }, grace: LONG }),
      to(rows),
    ),
  'joinStream, left': () =>
    lefts.pipe(
      joinStream(rights, (l, r) => [l, r], { store: 's', within: '5ms', grace: LONG, type: 'left' }),
      to(rows),
    ),
  'joinStream, outer, with partners that are later': () =>
    lefts.pipe(
      joinStream(rights, (l, r) => [l, r], {
        store: 's',
        within: { before: '-2ms', after: '8ms' },
        grace: LONG,
        type: 'outer',
      }),
      to(rows),
    ),
  'joinWindow, outer': () =>
    lefts.pipe(
      joinWindow(rights, session({ gap: '4ms', grace: LONG }), (l, r) => [l, r], { store: 's', type: 'outer' }),
      spans,
      to(rows),
    ),
} satisfies Record<string, () => Observable<unknown>>;

type Arrival = { topic: typeof lefts; key: string; value: number; timestamp: number };
const record: fc.Arbitrary<Arrival> = fc.record({
  topic: fc.constantFrom(lefts, rights),
  key: fc.constantFrom('a', 'b', 'é'),
  value: fc.nat({ max: 9 }),
  timestamp: fc.nat({ max: 60 }),
});
const arrivals = fc
  .array(record, { maxLength: 14 })
  .chain((records) => fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })));
const ways = fc.record({
  batch: fc.integer({ min: 1, max: 6 }),
  cacheEntries: fc.constantFrom(0, 3, 1000),
  restarts: fc.nat(),
});

describe('what comes out on close does not depend on the order in which records come inside of grace', () => {
  it.each(Object.keys(pipelines) as (keyof typeof pipelines)[])('%s', (name) => {
    const outcome = (
      records: readonly Arrival[],
      { batch, cacheEntries, restarts }: { batch: number; cacheEntries: number; restarts: number },
    ): string[] => {
      const driver = new TestDriver(pipelines[name](), { cacheEntries });
      for (let from = 0; from < records.length; from += batch) {
        driver.batch(() => {
          for (const { topic, ...each } of records.slice(from, from + batch)) driver.pipe(topic, each);
        });
        if (((restarts >> (from % 24)) & 1) === 1) driver.restart();
      }
      driver.end('close');
      expect(driver.late).toEqual([]);
      return driver
        .read(rows)
        .map(({ key, timestamp, value }) => JSON.stringify([key, timestamp, value]))
        .sort();
    };
    fc.assert(
      fc.property(arrivals, ways, ([records, permuted], way) => {
        const used = records.filter(({ topic }) => topic === lefts || name.startsWith('join'));
        const same = permuted.filter(({ topic }) => topic === lefts || name.startsWith('join'));
        const sorted = [...used].sort((left, right) => left.timestamp - right.timestamp);
        expect(outcome(same, way)).toEqual(outcome(sorted, { batch: 1, cacheEntries: 1000, restarts: 0 }));
      }),
      { numRuns: 1_000 },
    );
  });
});
