import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeRecord, NO_HEADERS } from '../record.ts';
import { msgpack } from '../serdes/msgpack.ts';
import { agg } from './agg.ts';
import { combine } from './combine.ts';

const same = (n: number): number => n;
const spec = {
  count: agg.count(),
  sum: agg.sum(same),
  min: agg.min(same),
  max: agg.max(same),
  mean: agg.mean(same),
  first: agg.reduce((left: number) => left),
};
const combined = combine<number, typeof spec>(spec);
function fold(list: readonly number[], from: unknown = combined.init()): NonNullable<unknown> {
  let state = from;
  for (const n of list) state = combined.add(state, n, makeRecord('k', n, 0, NO_HEADERS, 't', 0, 0));
  return state ?? [];
}
const numbers = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1 });

it('gives what a computation over the whole list gives', () => {
  fc.assert(
    fc.property(numbers, (list) => {
      const total = list.reduce((a, b) => a + b, 0);
      expect(combined.result(fold(list))).toEqual({
        count: list.length,
        sum: total,
        min: Math.min(...list),
        max: Math.max(...list),
        mean: total / list.length,
        first: list[0],
      });
    }),
    { numRuns: 1_000 },
  );
});

it('gives the same when the state is stored and read at any point, and when two spans are merged', () => {
  const stored = msgpack();
  fc.assert(
    fc.property(numbers, fc.nat(), (list, at) => {
      const cut = at % (list.length + 1);
      const whole = combined.result(fold(list));
      const before = fold(list.slice(0, cut));
      const restarted = fold(list.slice(cut), stored.deserialize(stored.serialize(before)));
      expect(combined.result(restarted)).toEqual(whole);
      const after = fold(list.slice(cut));
      expect(combined.result(combined.merge?.(before, after) ?? [])).toEqual(whole);
    }),
    { numRuns: 1_000 },
  );
});

it('gives the same when values are added and taken out again as when they were never there', () => {
  const record = (n: number) => makeRecord('k', n, 0, NO_HEADERS, 't', 0, 0);
  const removable = {
    count: agg.count(),
    sum: agg.sum(same),
    mean: agg.mean(same),
    product: agg.reduce((left: number, right: number) => left + right, { remove: (left, right) => left - right }),
  };
  const both = combine<number, typeof removable>(removable);
  const steps = fc.array(fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.boolean()));
  fc.assert(
    fc.property(fc.integer(), steps, (first, list) => {
      let state: unknown = both.add(both.init(), first, record(first));
      for (const [n] of list) state = both.add(state, n, record(n));
      for (const [n, stays] of list) if (!stays) state = both.remove?.(state, n, record(n));
      const left = [first, ...list.filter(([, stays]) => stays).map(([n]) => n)];
      const total = left.reduce((a, b) => a + b, 0);
      expect(both.result(state)).toEqual({ count: left.length, sum: total, mean: total / left.length, product: total });
    }),
    { numRuns: 1_000 },
  );
});
