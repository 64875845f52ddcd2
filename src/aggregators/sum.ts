import { checkWork } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';
import { numberOf } from './number-of.ts';

/**
 * Adds up a number picked from each value, in order of arrival and in plain floating point: rounding, NaN and
 * infinities behave as with `+`, and as with `-` when a value is taken out. Amounts in whole cents are exact.
 *
 * @param of - Picks the number.
 * @returns An aggregator whose result is the sum.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const total = agg.sum((sale: { price: number }) => sale.price);
 * console.log(total.name, total.init());
 * // => sum 0
 * ```
 * @public
 */
export function sum<V>(of: (value: V) => number): Aggregator<V, number> {
  checkWork('agg.sum', of, 'agg.sum((order) => order.total)');
  return {
    name: 'sum',
    init: () => 0,
    add: (state, value) => state + numberOf(of(value), 'agg.sum'),
    remove: (state, value) => state - numberOf(of(value), 'agg.sum'),
    merge: (left, right) => left + right,
    result: (state) => state,
  };
}
