import { describe, expect, it } from 'vitest';
import { makeRecord, NO_HEADERS } from '../record.ts';
import { float64 } from '../serdes/float64.ts';
import { msgpack } from '../serdes/msgpack.ts';
import { agg } from './agg.ts';
import type { Spec } from './aggregator.ts';
import { combine } from './combine.ts';

interface Sale {
  readonly price: number;
  readonly item: string;
}

const sale = (price: number, item = 'x'): Sale => ({ price, item });
const record = (value: Sale) => makeRecord('k', value, 0, NO_HEADERS, 't', 0, 0);
const all = {
  sales: agg.count(),
  total: agg.sum((s: Sale) => s.price),
  average: agg.mean((s: Sale) => s.price),
  dearest: agg.reduce((l: Sale, r: Sale) => (r.price > l.price ? r : l)),
};

describe('combine', () => {
  it('folds all fields, in the order in which they were written', () => {
    const combined = combine<Sale, typeof all>(all);
    expect(combined.name).toBe('sales: count, total: sum, average: mean, dearest: reduce');
    let state = combined.init();
    for (const value of [sale(2), sale(5, 'y'), sale(2)]) state = combined.add(state, value, record(value)) ?? [];
    expect(combined.result(state)).toEqual({ sales: 3, total: 9, average: 3, dearest: sale(5, 'y') });
    expect(Object.keys(combined.result(state))).toEqual(Object.keys(all));
    expect(combined.result(state)).not.toBe(combined.result(state));
  });

  it('leaves the old state as it was, also when a later field throws', () => {
    const combined = combine<Sale, Spec<Sale>>({
      total: agg.sum((s: Sale) => s.price),
      strict: agg.max((s: Sale) => {
        if (s.price < 0) throw new Error('negative');
        return s.price;
      }),
    });
    const state = combined.add(combined.init(), sale(1), record(sale(1))) ?? [];
    const before = structuredClone(state);
    expect(() => combined.add(state, sale(-1), record(sale(-1)))).toThrow('negative');
    combined.add(state, sale(7), record(sale(7)));
    expect(state).toEqual(before);
  });

  it('goes on from a state that was stored', () => {
    const combined = combine<Sale, typeof all>(all);
    const stored = msgpack();
    const first = combined.add(combined.init(), sale(2), record(sale(2))) ?? [];
    const again = stored.deserialize(stored.serialize(first));
    const second = combined.add(again, sale(4), record(sale(4))) ?? [];
    expect(combined.result(second)).toEqual({ sales: 2, total: 6, average: 3, dearest: sale(4) });
    const empty = stored.deserialize(stored.serialize(combined.init() ?? []));
    expect(combined.add(empty, sale(4), record(sale(4)))).toEqual(
      combined.add(combined.init(), sale(4), record(sale(4))),
    );
  });

  it('deletes the entry when all fields delete theirs; one alone begins again', () => {
    const until = (item: string) =>
      agg.custom({ init: () => 0, add: (n, s: Sale) => (s.item === item ? null : n + 1) });
    const combined = combine<Sale, Spec<Sale>>({ a: until('a'), b: until('b') });
    const one = combined.add(combined.init(), sale(1), record(sale(1))) ?? [];
    const withoutA = combined.add(one, sale(1, 'a'), record(sale(1, 'a'))) ?? [];
    expect(combined.result(withoutA)).toEqual({ a: 0, b: 2 });
    expect(combined.result(combined.add(withoutA, sale(1), record(sale(1))) ?? [])).toEqual({ a: 1, b: 3 });
    const single = combine<Sale, Spec<Sale>>({ a: until('a') });
    expect(single.add([3], sale(1, 'a'), record(sale(1, 'a')))).toBeNull();
  });

  it('merges when all fields can', () => {
    const combined = combine<Sale, typeof all>(all);
    expect(combined.merge?.([1, 2, [2, 1], sale(2)], [2, 7, [7, 2], sale(5)])).toEqual([3, 9, [9, 3], sale(5)]);
    expect(combined.merge?.([1, 2, [2, 1], null], [2, 7, [7, 2], sale(5)])).toEqual([3, 9, [9, 3], sale(5)]);
    const cannot = agg.custom({ init: () => 0, add: (n: number) => n + 1 });
    expect('merge' in combine({ sales: agg.count(), cannot })).toBe(false);
  });

  it('takes out when all fields can, and leaves fields without a state alone', () => {
    const some = { sales: agg.count(), total: agg.sum((s: Sale) => s.price) };
    const combined = combine<Sale, typeof some>(some);
    const state = [3, 9];
    expect(combined.remove?.(state, sale(2), record(sale(2)))).toEqual([2, 7]);
    expect(combined.remove?.([3, null], sale(2), record(sale(2)))).toEqual([2, null]);
    expect(state).toEqual([3, 9]);
    expect('remove' in combine<Sale, typeof all>(all)).toBe(false);
    const gone = agg.custom({ init: () => 0, add: (n, _: Sale) => n + 1, remove: (n) => (n === 1 ? null : n - 1) });
    expect(combine<Sale, Spec<Sale>>({ gone }).remove?.([1], sale(2), record(sale(2)))).toBeNull();
  });

  it('stores each state with the serde of its field', () => {
    const exact = agg.custom({ init: () => 0, add: (n, s: Sale) => n + s.price, state: float64() });
    const combined = combine<Sale, Spec<Sale>>({ exact, sales: agg.count(), again: exact });
    const states = [-0, 3, undefined];
    const bytes = combined.state?.serialize(states);
    expect(combined.state?.name).toBe('aggregates(float64, msgpack, float64)');
    expect(combined.state?.deserialize(bytes ?? new Uint8Array())).toEqual([-0, 3, null]);
    expect(combine(all).state).toBeUndefined();
  });

  it('refuses what is no aggregation', () => {
    expect(() => combine({})).toThrow('An aggregation has no fields – give an object of aggregators');
    // @ts-expect-error a forgotten call
    expect(() => combine({ clicks: agg.count })).toThrow(
      'The field clicks of an aggregation is a function, not an aggregator',
    );
    expect(() => combine({ clicks: agg.count } as never)).toThrow('call it: agg.count(…)');
    expect(() => combine(agg.count as never)).toThrow(
      'The aggregation is a function, not an aggregator – call it: agg.count(…)',
    );
    const hidden = Object.fromEntries([['__proto__', agg.count()]]);
    expect(() => combine(hidden)).toThrow(expect.objectContaining({ code: 'ERR_AGGREGATION' }));
  });
});
