import { checkNames, checkOneOf } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';
import { numberOf } from './number-of.ts';

/** The count of the numbers, their mean, and the sum of their squared distances from it. @public */
export type VarianceState = readonly [count: number, mean: number, squares: number];

/** @public */
export interface VarianceOptions {
  /**
   * `population` (default) divides by the count: the numbers are the whole population. `sample` divides by the count
   * minus one: the numbers represent a larger population. The sample variance of a single number is NaN.
   */
  readonly of?: 'population' | 'sample';
}

/**
 * The variance of a number picked from each value, computed so that rounding errors do not accumulate (Welford). The
 * standard deviation is its square root.
 *
 * @param of - Picks the number.
 * @param options - `of`: of a population, or of a sample.
 * @returns An aggregator whose result is the variance.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const noise = agg.variance((reading: { celsius: number }) => reading.celsius);
 * console.log(noise.result([4, 10, 20]));
 * // => 5
 * ```
 * @public
 */
export function variance<V>(
  of: (value: V) => number,
  options: VarianceOptions = {},
): Aggregator<V, VarianceState, number> {
  checkWork('agg.variance', of, 'agg.variance((reading) => reading.celsius)');
  checkNames('agg.variance', options, { of: true });
  const { of: what = 'population' } = options;
  checkOneOf('agg.variance', 'of', what, ['population', 'sample']);
  const less = what === 'sample' ? 1 : 0;
  return {
    name: 'variance',
    init: () => [0, 0, 0],
    add([count, mean, squares], value) {
      const number = numberOf(of(value), 'agg.variance');
      const distance = number - mean;
      const next = mean + distance / (count + 1);
      return [count + 1, next, squares + distance * (number - next)];
    },
    remove([count, mean, squares], value) {
      if (count <= 1) return [0, 0, 0];
      const number = numberOf(of(value), 'agg.variance');
      const before = mean - (number - mean) / (count - 1);
      // Rounding must not make it negative.
      return [count - 1, before, Math.max(0, squares - (number - mean) * (number - before))];
    },
    merge(left, right) {
      const count = left[0] + right[0];
      if (left[0] === 0 || right[0] === 0) return left[0] === 0 ? right : left;
      const distance = right[1] - left[1];
      const mean = left[1] + (distance * right[0]) / count;
      return [count, mean, left[2] + right[2] + (distance * distance * left[0] * right[0]) / count];
    },
    result: ([count, , squares]) => squares / (count - less),
  };
}
