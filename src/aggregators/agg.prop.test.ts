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
  );
});
