import { describe, expect, it } from 'vitest';
import { show } from '../options/option-checks.ts';
import { makeRecord, NO_HEADERS } from '../record.ts';
import { agg } from './agg.ts';
import type { Aggregator } from './aggregator.ts';

/** Folds as an operator does: `undefined` is no state, null deletes. */
function fold<V, A, R>(aggregator: Aggregator<V, A, R, null>, values: readonly V[]): R | undefined {
  const state = folded(aggregator, values);
  return state === undefined ? undefined : aggregator.result(state);
}

function folded<V, A, R>(aggregator: Aggregator<V, A, R, null>, values: readonly V[]): A | undefined {
  let state: A | undefined;
  values.forEach((value, i) => {
    const record = makeRecord('k', value, i, NO_HEADERS, 't', 0, i);
    state = aggregator.add(state ?? aggregator.init(), value, record) ?? undefined;
  });
  return state;
}

const ONE = makeRecord('k', 1, 0, NO_HEADERS, 't', 0, 0);
const same = (n: number): number => n;

describe('agg', () => {
  it('counts anything', () => {
    expect(fold(agg.count(), ['a', 'b', 'a'])).toBe(3);
    expect(fold(agg.count(), [])).toBeUndefined();
  });

  it('sums in order of arrival, as + does', () => {
    expect(fold(agg.sum(same), [0.1, 0.2, 0.3])).toBe(0.1 + 0.2 + 0.3);
    expect(fold(agg.sum(same), [1, Number.NaN])).toBeNaN();
  });

  it('finds the smallest and the largest number, and passes NaN over', () => {
    expect(fold(agg.min(same), [3, Number.NaN, -1, 2])).toBe(-1);
    expect(fold(agg.max(same), [Number.NaN, 3, -1, Number.NaN])).toBe(3);
    expect(fold(agg.min(same), [Number.POSITIVE_INFINITY])).toBe(Number.POSITIVE_INFINITY);
    expect(fold(agg.max(same), [Number.NaN])).toBeNaN();
    expect(agg.min(same).merge?.(Number.NaN, 2)).toBe(2);
    expect(agg.max(same).merge?.(2, Number.NaN)).toBe(2);
  });

  it('takes numbers alone: a text would be appended, and what is missing would count as 0 or spoil all that follow', () => {
    const of = (n: unknown): number => n as number;
    const aggregators = {
      'agg.sum': agg.sum(of),
      'agg.min': agg.min(of),
      'agg.max': agg.max(of),
      'agg.mean': agg.mean(of),
      'agg.variance': agg.variance(of),
      'agg.percentiles': agg.percentiles(of, [50]),
      'agg.topK': agg.topK({ k: 2, by: of }),
    } as unknown as Record<string, Aggregator<unknown, unknown>>;
    for (const [name, aggregator] of Object.entries(aggregators)) {
      for (const wrong of ['12', null, undefined, true, 12n, { cents: 12 }]) {
        expect(() => fold(aggregator, [1, wrong])).toThrow(`${name} was given ${show(wrong)}, which is not a number`);
      }
      if (aggregator.remove !== undefined) {
        expect(() => aggregator.remove?.(folded(aggregator, [1, 2]), '1', ONE)).toThrow(`${name} was given "1"`);
      }
    }
  });

  it('tells a function that returned nothing from one that deletes', () => {
    const forgot = (() => undefined) as never;
    for (const aggregator of [agg.reduce<number>(forgot), agg.custom({ init: () => 0, add: forgot })]) {
      expect(() => fold(aggregator as Aggregator<number, unknown>, [1, 2])).toThrow(
        /returned nothing: .* null to delete/,
      );
    }
    const reduced = agg.reduce((left: number, right: number) => left + right, { remove: forgot });
    expect(() => reduced.remove?.(3, 1, ONE)).toThrow('agg.reduce: remove returned nothing');
    const own = agg.custom({ init: () => 0, add: (n, v: number) => n + v, remove: forgot });
    expect(() => own.remove?.(3, 1, ONE)).toThrow('agg.custom: remove returned nothing');
    // Where there is no state yet there may still be none.
    const even = agg.custom<number, number | undefined>({
      init: () => undefined,
      add: (last, n) => (n % 2 === 0 ? n : last),
    });
    expect(fold(even, [1])).toBeUndefined();
    expect(fold(even, [1, 2, 3])).toBe(2);
  });

  it('takes the mean', () => {
    expect(fold(agg.mean(same), [1, 2, 6])).toBe(3);
    expect(fold(agg.mean(same), [])).toBeUndefined();
    expect(agg.mean(same).merge?.([1, 2], [3, 4])).toEqual([4, 6]);
  });

  it('reduces with the first value as seed; null deletes, and the next value is a seed again', () => {
    const calls: string[] = [];
    const joined = agg.reduce((left: string, right: string) => {
      calls.push(`${left}+${right}`);
      return right === '-' ? null : left + right;
    });
    expect(fold(joined, ['a'])).toBe('a');
    expect(calls).toEqual([]);
    expect(fold(joined, ['a', 'b', '-', 'c'])).toBe('c');
    expect(fold(joined, ['a', '-'])).toBeUndefined();
    expect(joined.merge?.('x', 'y')).toBe('xy');
    expect(joined.merge?.(undefined, 'y')).toBe('y');
    expect(joined.merge?.('x', undefined)).toBe('x');
    expect(joined.merge?.('x', '-')).toBeUndefined();
  });

  it('takes values out again: counts, sums, means, and folds that were told how', () => {
    const record = makeRecord('k', 5, 0, NO_HEADERS, 't', 0, 0);
    expect(agg.count().remove?.(3, 5, record)).toBe(2);
    expect(agg.sum(same).remove?.(12, 5, record)).toBe(7);
    expect(agg.mean(same).remove?.([12, 3], 5, record)).toEqual([7, 2]);
    const total = agg.reduce((left: number, right: number) => left + right, { remove: (left, right) => left - right });
    expect(total.remove?.(12, 5, record)).toBe(7);
    expect(total.remove?.(undefined, 5, record)).toBeUndefined();
    const last = agg.reduce((left: number, right: number) => left + right || null, {
      remove: (left, right) => (left === right ? null : left - right),
    });
    expect(last.remove?.(5, 5, record)).toBeNull();
    const own = agg.custom({ init: () => 0, add: (n, v: number) => n + v, remove: (n, v) => n - v });
    expect(own.remove?.(12, 5, record)).toBe(7);
    for (const cannot of [agg.min(same), agg.max(same), agg.reduce((left: number) => left)]) {
      expect(cannot).not.toHaveProperty('remove');
    }
    expect(() => agg.reduce((left: number) => left, { remove: 'no' } as never)).toThrow('agg.reduce: remove');
    expect(() => agg.custom({ init: () => 0, add: (n: number) => n, remove: 1 } as never)).toThrow(
      'agg.custom: remove',
    );
  });

  it('takes a fold of one’s own, which may look at the record', () => {
    const last = agg.custom({
      name: 'last at',
      init: () => -1,
      add: (state, value: string, record) => (value === 'reset' ? null : Math.max(state, record.timestamp)),
      result: (state) => `at ${state}`,
      merge: Math.max,
    });
    expect(last.name).toBe('last at');
    expect(fold(last, ['a', 'b'])).toBe('at 1');
    expect(fold(last, ['a', 'reset'])).toBeUndefined();
    const plain = agg.custom({ init: () => 0, add: (state, n: number) => state + n });
    expect(fold(plain, [1, 2])).toBe(3);
    expect(Object.keys(plain)).toEqual(['name', 'init', 'add', 'result']);
  });
});
