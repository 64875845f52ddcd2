import { checkNames } from '../options/option-checks.ts';
import { checkWork, settled } from '../options/promises.ts';
import type { Aggregator } from './aggregator.ts';
import { returned } from './returned.ts';

/** @public */
export interface ReduceOptions<V> {
  /** Takes a value out of the accumulated value that it was part of. Required by `regroup`. */
  readonly remove?: (left: V, right: V) => V | null;
}

/**
 * Folds values of one type into one of the same type. The first value is the seed, and `fn` is not called for it.
 *
 * @param fn - Combines the accumulated value with the next one, without modifying either. Null deletes the entry; the
 * next value is then a seed again. When sessions merge it gets the values of both, so it should be associative.
 * @param options - `remove`: the opposite of `fn`, if it has one.
 * @returns An aggregator whose result is the accumulated value.
 *
 * @example
 * ```ts
 * import { agg } from 'millrace';
 *
 * const longest = agg.reduce((left: string, right: string) => (right.length > left.length ? right : left));
 * console.log(longest.merge?.('ab', 'abc'));
 * // => abc
 * ```
 * @public
 */
export function reduce<V>(
  fn: (left: V, right: V) => V,
  options?: { readonly remove?: (left: V, right: V) => V },
): Aggregator<V, unknown, V>;
/**
 * A fold that may delete.
 *
 * @public
 */
export function reduce<V>(
  fn: (left: V, right: V) => V | null,
  options?: ReduceOptions<V>,
): Aggregator<V, unknown, V, null>;
export function reduce<V>(
  fn: (left: V, right: V) => V | null,
  options: ReduceOptions<V> = {},
): Aggregator<V, unknown, V, null> {
  checkWork('agg.reduce', fn, 'agg.reduce((left, right) => (left.at > right.at ? left : right))');
  checkNames('agg.reduce', options, { remove: true });
  const { remove } = options;
  if (remove !== undefined) checkWork('agg.reduce: remove', remove, 'agg.reduce(fn, { remove: (left, right) => … })');
  // The state is a V or undefined. Its type is opaque, so that V is inferred from the operator's values alone.
  return {
    name: 'reduce',
    init: () => undefined,
    add: (state, value) =>
      state === undefined ? value : returned(settled(fn(state as V, value)), state, 'agg.reduce'),
    ...(remove === undefined
      ? {}
      : {
          remove: (state: unknown, value: V) =>
            state === undefined ? state : returned(settled(remove(state as V, value)), state, 'agg.reduce: remove'),
        }),
    merge: (left, right) => {
      if (left === undefined || right === undefined) return left ?? right;
      return returned(fn(left as V, right as V), left, 'agg.reduce') ?? undefined;
    },
    // Called only after a record was added, when the state is a value.
    result: (state) => state as V,
  };
}
