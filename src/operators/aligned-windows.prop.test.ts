import fc from 'fast-check';
import {
  type AlignedWindower,
  agg,
  calendar,
  cumulate,
  customWindows,
  json,
  mapValues,
  nullable,
  string,
  to,
  topic,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { windowByModel } from 'millrace/testing/models';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';

const source = topic('source', { key: nullable(string()), value: nullable(json<number>()) });
const rows = topic('rows', { key: string(), value: json<unknown>() });
const spans = <K>(from: Observable<WindowedRecord<K, unknown>>): Observable<WindowedRecord<K, unknown[]>> =>
  from.pipe(mapValues((value, { window }) => [window.start, window.end, value]));

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Clocks of Berlin show 2 o'clock twice on this day; those of Chatham had a change by an hour a month before. */
const AUTUMN = Date.UTC(2026, 9, 24, 12);
const SPRING = Date.UTC(2026, 2, 28, 12);

interface Case {
  readonly windower: AlignedWindower;
  /** Times begin here, and move by so many ms for each unit. */
  readonly base: number;
  readonly unit: number;
}

const grace = fc.nat({ max: 12 });
const cases = {
  cumulate: fc.record({ steps: fc.integer({ min: 1, max: 4 }), step: fc.integer({ min: 1, max: 6 }), grace }).map(
    (of): Case => ({
      windower: cumulate({ size: `${of.steps * of.step}ms`, step: `${of.step}ms`, grace: `${of.grace}ms` }),
      base: 0,
      unit: 1,
    }),
  ),
  calendar: fc
    .record({
      unit: fc.constantFrom('hour' as const, 'day' as const),
      zone: fc.constantFrom('Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'UTC'),
      base: fc.constantFrom(AUTUMN, SPRING),
      grace,
    })
    .map(({ base, grace: hours, unit, zone }): Case => {
      const [ms, name] = unit === 'hour' ? [15 * MINUTE, 'm'] : [3 * HOUR, 'h'];
      const windower = calendar({ unit, zone, grace: `${hours * (unit === 'hour' ? 15 : 3)}${name}` as '1m' });
      return { windower, base, unit: ms };
    }),
  /** Some that overlap, start together or end together, and times that are in none. */
  custom: fc.record({ size: fc.integer({ min: 2, max: 9 }), grace }).map(({ grace: late, size }): Case => {
    const windowsOf = (timestamp: number) => {
      const start = timestamp - (timestamp % (2 * size));
      if (timestamp % 11 === 0) return [];
      const half = { start: timestamp < start + size ? start : start + size, end: start + 2 * size };
      return half.start === start ? [{ start, end: start + 2 * size }] : [{ start, end: half.end }, half];
    };
    return {
      windower: customWindows({ name: `halves of ${size}`, windowsOf, grace: `${late}ms` }),
      base: 0,
      unit: 1,
    };
  }),
} satisfies Record<string, fc.Arbitrary<Case>>;

/** Records that mostly move on, with ties, steps back, and now and then a far step. */
const arrivals = fc.array(
  fc.record({
    key: fc.constantFrom('a', 'a', 'b', 'é', null),
    value: fc.option(fc.nat({ max: 9 }), { freq: 9 }),
    by: fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: -12, max: 8 }) },
      { weight: 1, arbitrary: fc.integer({ min: 10, max: 60 }) },
    ),
  }),
  { maxLength: 24 },
);
const ways = fc.record({
  cacheEntries: fc.constantFrom(0, 2, 1000),
  batch: fc.integer({ min: 1, max: 6 }),
  restarts: fc.nat(),
});
const fold = agg.custom({ init: () => '', add: (text: string, n: number) => `${text}${n}` });

describe('windows that are listed', () => {
  it.each(Object.keys(cases) as (keyof typeof cases)[])('by %s give what a naive model gives', (kind) => {
    fc.assert(
      fc.property(
        cases[kind],
        fc.constantFrom('close' as const, 'updates' as const),
        arrivals,
        ways,
        ({ base, unit, windower }, emit, steps, { batch, cacheEntries, restarts }) => {
          let at = 0;
          const records = steps.map(({ by, key, value }) => {
            at = Math.max(0, at + by);
            return { key, value, timestamp: base + at * unit };
          });
          const pipeline = source.pipe(windowBy(windower, fold, { store: 's', emit }), spans, to(rows));
          const driver = new TestDriver(pipeline, { cacheEntries });
          for (let from = 0; from < records.length; from += batch) {
            driver.pipeAll(source, records.slice(from, from + batch));
            if (((restarts >> (from % 24)) & 1) === 1) driver.restart();
          }
          driver.end('close');
          const told = driver.read(rows).map(({ key, timestamp, value }) => [key, timestamp, value]);
          const model = windowByModel<string | null, number, string, string>(windower, fold, records, emit);
          const wanted = model.rows.map(({ key, timestamp, value, window }) => [
            key,
            timestamp,
            [window?.start, window?.end, value],
          ]);
          expect(told).toEqual(wanted);
          expect(driver.late.reduce((sum, { late }) => sum + late.missed.length, 0)).toBe(model.late);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
