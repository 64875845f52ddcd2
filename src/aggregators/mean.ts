import { checkWork } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';
import { numberOf } from './number-of.ts';

/** The sum of the numbers so far, and their count. @public */
export type MeanState = readonly [sum: number, count: number];

/**
 * The arithmetic mean of a number picked from each value: the plain sum divided by the count. Nothing is emitted before
 * the first record, so the result is NaN only if the numbers themselves make it so.
 *
 * @param of - Picks the number.
 * @returns An aggregator whose result is the mean.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const delay = agg.mean((flight: { delay: number }) => flight.delay);
 * console.log(delay.result([30, 4]));
 * // => 7.5
 * ```
 * @public
 */
export function mean<V>(of: (value: V) => number): Aggregator<V, MeanState, number> {
  checkWork('agg.mean', of, 'agg.mean((flight) => flight.delay)');
  return {
    name: 'mean',
    init: () => [0, 0],
    add: (state, value) => [state[0] + numberOf(of(value), 'agg.mean'), state[1] + 1],
    remove: (state, value) => [state[0] - numberOf(of(value), 'agg.mean'), state[1] - 1],
    merge: (left, right) => [left[0] + right[0], left[1] + right[1]],
    result: (state) => state[0] / state[1],
  };
}
