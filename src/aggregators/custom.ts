import { checkMethods, checkNames, type OptionNames } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { Aggregator } from './aggregator.ts';
import { returned } from './returned.ts';

/**
 * The parts of a custom aggregator.
 *
 * @typeParam V - The values that it takes.
 * @typeParam A - Its state.
 * @typeParam N - What `add` returns: the state, or the state or null.
 * @public
 */
export interface CustomAggregator<V, A, N = A | null> {
  /** Name for graphs and the fingerprint (default: `custom`). */
  readonly name?: string;
  /** The state before the first record. */
  readonly init: () => A;
  /** The state after one more record, as a new value: don't modify the old one. Null deletes the entry. */
  readonly add: (state: A, value: V, record: StreamRecord<unknown, V>) => N;
  /** Takes out a value that was added earlier. Required by `regroup`. */
  readonly remove?: (state: A, value: V, record: StreamRecord<unknown, V>) => N;
  /** Merges the states of two spans of records, the earlier one first. Required for session windows. */
  readonly merge?: (left: A, right: A) => A;
  /** How the state is stored (default: MessagePack). */
  readonly state?: Serde<A>;
}

/**
 * A custom aggregator that emits something other than its state.
 *
 * @typeParam R - What is emitted.
 * @public
 */
export interface CustomResult<A, R> {
  /** What is emitted for a state, as a new value. */
  readonly result: (state: A) => R;
}

const EXAMPLE = 'agg.custom({ init: () => 0, add: (sum, value) => sum + value })';

const PARTS: OptionNames<CustomAggregator<never, never> & CustomResult<never, never>> = {
  name: true,
  init: true,
  add: true,
  remove: true,
  merge: true,
  result: true,
  state: true,
};

/** `null` if `N` includes null, else `never`. @public */
export type OfNull<N> = null extends N ? null : never;

/**
 * Builds any fold from its parts. Its serde must be able to write the state: without the `state` option, anything that
 * MessagePack can hold. Without `result` the state itself is emitted.
 *
 * @param parts - How to start and add a record; optionally how to remove, merge, emit and store.
 * @returns The aggregator.
 * @throws ConfigError `ERR_OPTION` for a part that is missing or unknown.
 *
 * @example The distinct pages of a user
 * ```ts
 * import { agg } from 'millrace';
 *
 * const pages = agg.custom({
 *   init: (): readonly string[] => [],
 *   add: (seen, click: { url: string }) => (seen.includes(click.url) ? seen : [...seen, click.url]),
 *   result: (seen) => seen.length,
 * });
 * console.log(pages.result(['/', '/cart']));
 * // => 2
 * ```
 * @public
 */
export function custom<V, A, R, N extends A | null = A | null>(
  parts: CustomAggregator<V, A, N> & CustomResult<A, R>,
): Aggregator<V, A, R, OfNull<N>>;
/**
 * Builds any fold that emits its state.
 *
 * @param parts - How to start and add a record; optionally how to remove, merge and store.
 * @returns The aggregator.
 * @public
 */
export function custom<V, A, N extends A | null = A | null>(
  parts: CustomAggregator<V, A, N>,
): Aggregator<V, A, A, OfNull<N>>;
// Two forms, because a result type that only defaults to A would be inferred from the operator as unknown.
export function custom<V, A>(
  parts: CustomAggregator<V, A> & Partial<CustomResult<A, unknown>>,
): Aggregator<V, A, unknown, null> {
  checkNames('agg.custom', parts, PARTS);
  for (const part of ['init', 'add'] as const) checkWork(`agg.custom: ${part}`, parts[part], EXAMPLE);
  for (const part of ['remove', 'merge', 'result'] as const) {
    if (parts[part] !== undefined) checkWork(`agg.custom: ${part}`, parts[part], EXAMPLE);
  }
  checkMethods('agg.custom', 'state', parts.state, ['serialize', 'deserialize']);
  const { name = 'custom', init, add, remove, merge, result = (state: A) => state, state } = parts;
  return {
    name,
    init,
    add: (before, value, record) => returned(add(before, value, record), before, 'agg.custom: add'),
    result,
    ...(remove === undefined
      ? {}
      : {
          remove: (before: A, value: V, record: StreamRecord<unknown, V>) =>
            returned(remove(before, value, record), before, 'agg.custom: remove'),
        }),
    ...(merge === undefined ? {} : { merge }),
    ...(state === undefined ? {} : { state }),
  };
}
