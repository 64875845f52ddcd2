import fc from 'fast-check';
import { agg, aggregate, json, session, string, to, topic, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import type { Aggregator } from './aggregator.ts';

const RUNS = { numRuns: 1000 };
const RECORD = { key: 'k', timestamp: 0, headers: [], topic: '', partition: 0, offset: 0 };

function folded<V, A, R>({ add, init }: Aggregator<V, A, R, null>, values: readonly V[]): A {
  return values.reduce<A>((state, value) => add(state, value, { ...RECORD, value }) as A, init());
}

/** As it comes back from a store. */
function stored<V, A, R>({ state }: Aggregator<V, A, R, null>, value: A): A {
  return state === undefined ? value : state.deserialize(state.serialize(value as NonNullable<A>));
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -1000, max: 1000, noNaN: true }),
  fc.integer({ min: -5, max: 5 }),
);

/** The number of a rank, by sorting all. */
function exact(numbers: readonly number[], percent: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil((percent / 100) * sorted.length)) - 1] as number;
}

describe('percentiles', () => {
  const percents = [0, 25, 50, 90, 99.9, 100] as const;

  it('are within the error of the exact ones', () => {
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(0.001, 0.01, 0.1),
        (numbers, error) => {
          const of = agg.percentiles((n: number) => n, percents, { error });
          const result = of.result(stored(of, folded(of, numbers)));
          for (const percent of percents) {
            const wanted = exact(numbers, percent);
            const allowed = Math.abs(wanted) * error * (1 + 1e-9) + 1e-300;
            expect(Math.abs(result[`p${percent}`] - wanted)).toBeLessThanOrEqual(allowed);
          }
        },
      ),
      RUNS,
    );
  });

  it('do not depend on the order of numbers, or on how they were merged', () => {
    const of = agg.percentiles((n: number) => n, percents);
    fc.assert(
      fc.property(fc.array(fc.array(number, { maxLength: 20 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const merged = parts
          .map((part) => stored(of, folded(of, part)))
          .reduce((left, right) => of.merge?.(left, right), of.init());
        const all = parts.flat();
        expect(merged).toEqual(folded(of, all));
        expect(merged).toEqual(folded(of, all.toReversed()));
      }),
      RUNS,
    );
  });

  it('keep a bounded number of bins: the highest ones, in whatever order', () => {
    const of = agg.percentiles((n: number) => n, [0, 50, 99], { error: 0.001 });
    const numbers = Array.from({ length: 6000 }, (_, at) => 1.003 ** ((at * 1789) % 6000));
    const state = folded(of, numbers);
    expect(folded(of, numbers.toReversed())).toEqual(state);
    const half = (part: number) =>
      folded(
        of,
        numbers.filter((_, at) => at % 2 === part),
      );
    expect(of.merge?.(half(0), half(1))).toEqual(state);
    const { p0, p99 } = of.result(state);
    expect(p0).toBe(Math.min(...numbers));
    expect(Math.abs(p99 / exact(numbers, 99) - 1)).toBeLessThanOrEqual(0.001 + 1e-9);
    expect(of.state?.serialize(state as NonNullable<unknown>).length).toBeLessThan(2048 * 4 + 16);
  });

  it('leave the state before as it was, and refuse what is no number', () => {
    const of = agg.percentiles((n: number) => n, [50]);
    const before = folded(of, [1, 2, 3]);
    const bytes = of.state?.serialize(before as NonNullable<unknown>);
    folded({ ...of, init: () => before }, [2, 7]);
    expect(of.state?.serialize(before as NonNullable<unknown>)).toEqual(bytes);
    expect(() => folded(of, [Number.NaN])).toThrow('NaN');
    expect(() => agg.percentiles((n: number) => n, [])).toThrow('percents');
    expect(() => agg.percentiles((n: number) => n, [101])).toThrow('percents');
    expect(() => agg.percentiles((n: number) => n, [50], { error: 0 })).toThrow('error');
  });
});

describe('about distinct', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean(), fc.bigInt());

  it('is the number of few values, whatever they are, or nearly', () => {
    const of = agg.approxDistinct((n: string | number | boolean | bigint) => n, { error: 0.01 });
    fc.assert(
      fc.property(fc.array(value, { maxLength: 30 }), (values) => {
        const count = new Set(values).size;
        expect(Math.abs(of.result(stored(of, folded(of, values))) - count)).toBeLessThanOrEqual(1);
      }),
      RUNS,
    );
  });

  it('does not depend on the order of values, or on how they were merged', () => {
    const of = agg.approxDistinct((n: string | number | boolean | bigint) => n, { error: 0.2 });
    fc.assert(
      fc.property(fc.array(fc.array(value, { maxLength: 30 }), { minLength: 1, maxLength: 4 }), (parts) => {
        const merged = parts
          .map((part) => stored(of, folded(of, part)))
          .reduce((left, right) => of.merge?.(left, right), of.init());
        const all = parts.flat();
        expect(merged).toEqual(folded(of, all));
        expect(merged).toEqual(folded(of, all.toReversed()));
      }),
      RUNS,
    );
  });

  it('is within its error, from tens to a hundred thousand', () => {
    for (const error of [0.2, 0.05, 0.02, 0.01]) {
      const of = agg.approxDistinct((n: string) => n, { error });
      const misses: number[] = [];
      for (let from = 0; from < 30; from += 1) {
        for (const count of [10, 300, 3000]) {
          const values = Array.from({ length: count }, (_, at) => `${from}:${at}`);
          misses.push(of.result(folded(of, values)) / count - 1);
        }
      }
      const spread = Math.sqrt(misses.reduce((sum, miss) => sum + miss ** 2, 0) / misses.length);
      expect(spread).toBeLessThan(error * 1.2);
      expect(Math.max(...misses.map(Math.abs))).toBeLessThan(error * 4);
      // No bias.
      expect(Math.abs(misses.reduce((sum, miss) => sum + miss, 0) / misses.length)).toBeLessThan(error / 2);
    }
    const of = agg.approxDistinct((n: number) => n);
    const many = of.result(
      folded(
        of,
        Array.from({ length: 100_000 }, (_, at) => at),
      ),
    );
    expect(Math.abs(many / 100_000 - 1)).toBeLessThan(0.06);
  });

  it('is the same on every machine', () => {
    const of = agg.approxDistinct((n: string | number | boolean | bigint) => n);
    const state = folded(of, ['a', 'é\u{1F600}', '', 0, -0, 1.5, Number.NaN, true, 7n]) as Uint8Array;
    expect(Buffer.from(state).toString('hex')).toBe('0000910204970105400307c101086f010892010bb1050f8f04');
    expect(of.result(state)).toBe(8);
    expect(() => agg.approxDistinct((n: number) => n, { error: 1 })).toThrow('error');
  });
});

it('sessions that are merged have the sketches of all their records', () => {
  const calls = topic('calls', { key: string(), value: json<number>() });
  const out = topic('out', { key: string(), value: json<unknown>() });
  const sketches = { about: agg.approxDistinct((n: number) => n), speed: agg.percentiles((n: number) => n, [50, 100]) };
  const open = (): TestDriver =>
    new TestDriver(calls.pipe(windowBy(session({ gap: '10ms', grace: '50ms' }), sketches, { store: 's' }), to(out)), {
      cacheEntries: 0,
    });
  const times = [0, 20, 10, 30, 5];
  const rows = [times, times.toReversed()].map((order) => {
    const driver = open();
    for (const timestamp of order) {
      driver.pipe(calls, { key: 'a', value: timestamp % 20, timestamp });
      driver.restart();
    }
    driver.pipe(calls, { key: 'b', value: 1, timestamp: 1000 });
    return driver.read(out).map(({ key, value }) => [key, value]);
  });
  expect(rows[0]).toEqual(rows[1]);
  expect(rows[0]).toEqual([['a', { about: 3, speed: { p50: expect.closeTo(5, 1), p100: 10 } }]]);
});

it('running aggregates keep them over restarts', () => {
  const calls = topic('calls', { key: string(), value: json<number>() });
  const out = topic('out', { key: string(), value: json<number>() });
  const driver = new TestDriver(
    calls.pipe(
      aggregate(
        agg.approxDistinct((n) => n),
        { store: 's' },
      ),
      to(out),
    ),
    { cacheEntries: 0 },
  );
  for (let n = 0; n < 60; n += 1) {
    driver.pipe(calls, { key: 'a', value: n % 7, timestamp: n });
    if (n % 20 === 0) driver.restart();
  }
  expect(driver.read(out).at(-1)?.value).toBe(7);
});
