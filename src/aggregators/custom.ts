import { checkMethods, checkNames, type OptionNames } from '../options/option-checks.ts';
import { checkWork } from '../options/promises.ts';
import type { StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import type { Aggregator } from './aggregator.ts';
import { returned } from './returned.ts';

/**
 * The parts of an aggregator of one's own.
 *
 * @typeParam V - The values that it takes.
 * @typeParam A - Its state.
 * @typeParam N - What `add` returns: the state, or also null.
 * @public
 */
export interface CustomAggregator<V, A, N = A | null> {
  /** For graphs and the fingerprint; `custom` when left out. */
  readonly name?: string;
  /** The state before the first record. */
  readonly init: () => A;
  /** The state after one more record, as a new value: the old one must stay as it was. Null deletes the entry. */
  readonly add: (state: A, value: V, record: StreamRecord<unknown, V>) => N;
  /** Takes a value out again that was added before. Tables that are regrouped need it. */
  readonly remove?: (state: A, value: V, record: StreamRecord<unknown, V>) => N;
  /** Joins the states of two spans of records, the earlier one first. Sessions need it. */
  readonly merge?: (left: A, right: A) => A;
  /** How the state is stored; as MessagePack when left out. */
  readonly state?: Serde<A>;
}

/**
 * An aggregator of one's own that emits something else than its state.
 *
 * @typeParam R - What is emitted.
 * @public
 */
export interface CustomResult<A, R> {
  /** What is emitted for a state, as a fresh value. */
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

/** `null` where it is among what may be returned, else `never`. @public */
export type OfNull<N> = null extends N ? null : never;

/**
 * Any fold, from its parts. State must be something that its serde can write: without `state`, what MessagePack holds.
 * Without `result` the state itself is emitted.
 *
 * @param parts - How to begin, how to add a record, and optionally how to take out, merge, emit and store.
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
 * Any fold whose state is what it emits.
 *
 * @param parts - How to begin, how to add a record, and optionally how to take out, merge and store.
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
