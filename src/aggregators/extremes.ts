import { checkWork } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';
import { numberOf } from './number-of.ts';

// NaN is the state before the first number: every comparison with it is false, so the first number replaces it.
function smaller(state: number, value: number): number {
  return state <= value || Number.isNaN(value) ? state : value;
}

function larger(state: number, value: number): number {
  return state >= value || Number.isNaN(value) ? state : value;
}

function extreme<V>(
  name: string,
  of: (value: V) => number,
  pick: (state: number, value: number) => number,
): Aggregator<V, number> {
  const who = `agg.${name}`;
  return {
    name,
    init: () => Number.NaN,
    add: (state, value) => pick(state, numberOf(of(value), who)),
    merge: pick,
    result: (state) => state,
  };
}

/**
 * The smallest number among the values. NaN is ignored, like a missing reading; the result is NaN only if no value had
 * a number.
 *
 * @param of - Picks the number.
 * @returns An aggregator whose result is the smallest number.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const coldest = agg.min((reading: { celsius: number }) => reading.celsius);
 * console.log(coldest.merge?.(-3, 5));
 * // => -3
 * ```
 * @public
 */
export function min<V>(of: (value: V) => number): Aggregator<V, number> {
  checkWork('agg.min', of, 'agg.min((reading) => reading.celsius)');
  return extreme('min', of, smaller);
}

/**
 * The largest number among the values. NaN is ignored, like a missing reading; the result is NaN only if no value had a
 * number.
 *
 * @param of - Picks the number.
 * @returns An aggregator whose result is the largest number.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const hottest = agg.max((reading: { celsius: number }) => reading.celsius);
 * console.log(hottest.merge?.(-3, 5));
 * // => 5
 * ```
 * @public
 */
export function max<V>(of: (value: V) => number): Aggregator<V, number> {
  checkWork('agg.max', of, 'agg.max((reading) => reading.celsius)');
  return extreme('max', of, larger);
}
