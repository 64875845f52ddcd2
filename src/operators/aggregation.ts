import type { Aggregated, Aggregator, Deletes, Spec } from '../aggregators/aggregator.ts';
import { combine } from '../aggregators/combine.ts';
import { checkSync } from '../options/promises.ts';
import { msgpackCodec, serdeCodec, type ValueCodec } from '../state/value-codec.ts';

/** A state as operators see it: an opaque value that only its aggregator understands. */
export type State = NonNullable<unknown>;

/**
 * The value that an aggregation produces: the result of a single aggregator, or an object of results. For a single
 * aggregator nothing is inferred for the spec `S`, so `S` is its own constraint.
 *
 * @public
 */
export type AggregationResult<V, R, S> = Spec<V> extends S ? R : Aggregated<S>;

/**
 * `null` if the rows of an aggregation can be deleted, else `never`.
 *
 * @public
 */
export type AggregationDeletes<V, D, S> = Spec<V> extends S ? D : Deletes<S>;

/** Turns an aggregation into a single aggregator. */
export function toAggregator<V, A, R, S extends Spec<V>>(
  aggregation: Aggregator<V, A, R, null> | S,
): Aggregator<V, State, AggregationResult<V, R, S>, null> {
  const one: unknown = isAggregator(aggregation) ? aggregation : combine<V, S>(aggregation);
  const { add, init, merge, name, remove, result } = one as Aggregator<V, State, unknown, null>;
  for (const part of [init, add, remove, merge, result]) checkSync(`the aggregator ${name}`, part);
  return one as Aggregator<V, State, AggregationResult<V, R, S>, null>;
}

function isAggregator<V, A, R>(
  aggregation: Aggregator<V, A, R, null> | Spec<V>,
): aggregation is Aggregator<V, A, R, null> {
  return typeof aggregation?.init === 'function' && typeof aggregation['add'] === 'function';
}

/** How to store the states of an aggregator: with its own serde, or as MessagePack. */
export function stateCodec<V>(aggregator: Aggregator<V, State, unknown, null>, store: string): ValueCodec<State> {
  return aggregator.state === undefined ? msgpackCodec(store) : serdeCodec(aggregator.state, store);
}
