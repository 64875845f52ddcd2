import type { Aggregator } from './aggregator.ts';

const COUNT: Aggregator<unknown, number> = Object.freeze({
  name: 'count',
  init: () => 0,
  add: (state: number) => state + 1,
  remove: (state: number) => state - 1,
  merge: (left: number, right: number) => left + right,
  result: (state: number) => state,
});

/**
 * Counts records.
 *
 * @returns An aggregator for values of any type.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const clicks = agg.count();
 * console.log(clicks.result(clicks.init()));
 * // => 0
 * ```
 * @public
 */
export function count<V = unknown>(): Aggregator<V, number> {
  return COUNT;
}
