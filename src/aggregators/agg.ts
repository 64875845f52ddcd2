import { approxDistinct } from './approx-distinct.ts';
import { collect } from './collect.ts';
import { count } from './count.ts';
import { custom } from './custom.ts';
import { distinct } from './distinct.ts';
import { max, min } from './extremes.ts';
import { first, last } from './first-last.ts';
import { mean } from './mean.ts';
import { percentiles } from './percentiles.ts';
import { reduce } from './reduce.ts';
import { sum } from './sum.ts';
import { topK } from './top-k.ts';
import { variance } from './variance.ts';

/**
 * The aggregators, for `windowBy` and `aggregate`. Inside a pipeline the type of the values is inferred.
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
  readonly variance: typeof variance;
  readonly first: typeof first;
  readonly last: typeof last;
  readonly collect: typeof collect;
  readonly distinct: typeof distinct;
  readonly approxDistinct: typeof approxDistinct;
  readonly percentiles: typeof percentiles;
  readonly topK: typeof topK;
  readonly reduce: typeof reduce;
  readonly custom: typeof custom;
} = {
  count,
  sum,
  min,
  max,
  mean,
  variance,
  first,
  last,
  collect,
  distinct,
  approxDistinct,
  percentiles,
  topK,
  reduce,
  custom,
};
