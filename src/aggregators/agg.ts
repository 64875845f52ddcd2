import { count } from './count.ts';
import { custom } from './custom.ts';
import { max, min } from './extremes.ts';
import { mean } from './mean.ts';
import { reduce } from './reduce.ts';
import { sum } from './sum.ts';

/**
 * The aggregators, for `windowBy` and `aggregate`. Inside of a pipeline the type of the values is inferred.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const spec = { sales: agg.count(), total: agg.sum((sale: { price: number }) => sale.price) };
 * console.log(Object.keys(spec).join(' '));
 * // => sales total
 * ```
 * @public
 */
export const agg: {
  readonly count: typeof count;
  readonly sum: typeof sum;
  readonly min: typeof min;
  readonly max: typeof max;
  readonly mean: typeof mean;
  readonly reduce: typeof reduce;
  readonly custom: typeof custom;
} = { count, sum, min, max, mean, reduce, custom };
