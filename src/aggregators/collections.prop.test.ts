import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeRecord, NO_HEADERS, type StreamRecord } from '../record.ts';
import { msgpack } from '../serdes/msgpack.ts';
import type { Serde } from '../serdes/serde.ts';
import { agg } from './agg.ts';
import type { Aggregator } from './aggregator.ts';

interface Arrival {
  readonly n: number;
  readonly at: number;
}
type Any = Aggregator<number, unknown, unknown>;

const record = ({ at, n }: Arrival): StreamRecord<unknown, number> => makeRecord('k', n, at, NO_HEADERS, 't', 0, 0);
const fold = (aggregator: Any, list: readonly Arrival[], from: unknown = aggregator.init()): unknown =>
  list.reduce((state, each) => aggregator.add(state, each.n, record(each)), from);
const arrivals = fc.array(fc.record({ n: fc.integer({ min: -6, max: 6 }), at: fc.nat({ max: 12 }) }), {
  maxLength: 20,
});
/** By event time; sorting is stable, so equal times stay in order of arrival. */
const byTime = (list: readonly Arrival[]): Arrival[] => [...list].sort((left, right) => left.at - right.at);
const numbers = (list: readonly Arrival[]): number[] => list.map(({ n }) => n);
const near = (left: number, right: number): boolean => Math.abs(left - right) < 1e-9 || Object.is(left, right);

const naive: Readonly<Record<string, readonly [Any, (list: readonly Arrival[]) => unknown]>> = {
  first: [agg.first(), (list) => byTime(list)[0]?.n],
  last: [agg.last(), (list) => byTime(list).at(-1)?.n],
  'collect the last': [agg.collect({ limit: 3 }), (list) => numbers(byTime(list)).slice(-3)],
  'collect the first': [agg.collect({ limit: 3, keep: 'first' }), (list) => numbers(byTime(list)).slice(0, 3)],
  distinct: [agg.distinct((n: number) => n), (list) => new Set(numbers(list)).size],
  'top 3': [
    agg.topK({ k: 3, by: (n: number) => (n === 6 ? Number.NaN : Math.abs(n)) }),
    (list) =>
      numbers(byTime(list))
        .filter((n) => n !== 6)
        .sort((left, right) => Math.abs(right) - Math.abs(left))
        .slice(0, 3),
  ],
};

describe.each(Object.entries(naive))('%s', (_name, [aggregator, expected]) => {
  it('gives what a computation over the whole list gives, stored at any point, and leaves old states as they were', () => {
    const serde: Serde<unknown> = aggregator.state ?? msgpack();
    fc.assert(
      fc.property(arrivals, arrivals, fc.nat(), (list, other, at) => {
        const cut = at % (list.length + 1);
        const before = fold(aggregator, list.slice(0, cut));
        const known = before === undefined ? undefined : aggregator.result(before);
        // Another line of states begins where this one goes on.
        fold(aggregator, other, before);
        const after = fold(aggregator, list.slice(cut), before);
        if (before !== undefined) expect(aggregator.result(before)).toEqual(known);
        if (list.length === 0) return;
        expect(aggregator.result(after)).toEqual(expected(list));
        const stored =
          before === undefined ? before : serde.deserialize(serde.serialize(before as NonNullable<unknown>));
        expect(aggregator.result(fold(aggregator, list.slice(cut), stored))).toEqual(expected(list));
      }),
      { numRuns: 1_000 },
    );
  });

  it('merges spans of records, and the initial state with any', () => {
    fc.assert(
      fc.property(arrivals, fc.nat({ max: 12 }), (list, at) => {
        fc.pre(list.length > 0);
        const [early, late] = [list.filter((each) => each.at < at), list.filter((each) => each.at >= at)];
        const [left, right] = [fold(aggregator, early), fold(aggregator, late)];
        const merge = (one: unknown, two: unknown): unknown => aggregator.merge?.(one, two);
        const known = [left, right].map((state) => (state === undefined ? state : aggregator.result(state)));
        for (const both of [merge(merge(aggregator.init(), left), right), merge(left, right)]) {
          expect(aggregator.result(both)).toEqual(expected([...early, ...late]));
        }
        expect([left, right].map((state) => (state === undefined ? state : aggregator.result(state)))).toEqual(known);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('variance', () => {
  const of = (list: readonly number[], less: number): number => {
    const mean = list.reduce((a, b) => a + b, 0) / list.length;
    return list.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (list.length - less);
  };

  it('is that of the whole list, merged at any point, and without what was taken out again', () => {
    const values = fc.array(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.nat(), fc.boolean(), (list, at, sample) => {
        const aggregator = agg.variance((n: number) => n, sample ? { of: 'sample' } : {});
        const less = sample ? 1 : 0;
        const state = (some: readonly number[]) =>
          some.reduce((before, n) => aggregator.add(before, n, record({ n, at: 0 })), aggregator.init());
        const cut = at % list.length;
        const [left, right] = [list.slice(0, cut), list.slice(cut)];
        expect(near(aggregator.result(state(list)), of(list, less))).toBe(true);
        const merged = aggregator.merge?.(state(left), state(right)) ?? aggregator.init();
        expect(Math.abs(aggregator.result(merged) - of(list, less)) < 1e-6 || list.length <= less).toBe(true);
        const removed = left.reduce(
          (before, n) => aggregator.remove?.(before, n, record({ n, at: 0 })) ?? before,
          state(list),
        );
        expect(Math.abs(aggregator.result(removed) - of(right, less)) < 1e-6 || right.length <= less).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});

it('refuse options that say nothing', () => {
  expect(() => agg.collect({ limit: 0 })).toThrow('limit is 0');
  expect(() => agg.collect({} as never)).toThrow('limit is undefined');
  expect(() => agg.collect({ limit: 1, keep: 'best' } as never)).toThrow('keep');
  expect(() => agg.topK({ k: 1.5, by: (n: number) => n })).toThrow('k is 1.5');
  expect(() => agg.topK({ k: 1 } as never)).toThrow('agg.topK: by');
  expect(() => agg.variance((n: number) => n, { of: 'all' } as never)).toThrow('of');
  expect(() => agg.first('price' as never)).toThrow('agg.first');
  expect(() => agg.distinct(undefined as never)).toThrow('agg.distinct');
});
