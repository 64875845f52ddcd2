import type { Aggregated, Aggregator, Deletes, Spec } from '../aggregators/aggregator.ts';
import { combine } from '../aggregators/combine.ts';
import { checkSync } from '../options/promises.ts';
import { msgpackCodec, serdeCodec, type ValueCodec } from '../state/value-codec.ts';

/** A state as the operators see it: something that its aggregator understands. */
export type State = NonNullable<unknown>;

/**
 * The value that an aggregation makes: the result of the one aggregator, else an object of results. Where one aggregator
 * was given nothing is known of the spec `S`, which is then its constraint.
 *
 * @public
 */
export type AggregationResult<V, R, S> = Spec<V> extends S ? R : Aggregated<S>;

/**
 * `null` where the rows of an aggregation can be deleted, else `never`.
 *
 * @public
 */
export type AggregationDeletes<V, D, S> = Spec<V> extends S ? D : Deletes<S>;

/** The one aggregator that an aggregation comes to. */
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

/** How the states of an aggregator are stored: by its own serde, else as MessagePack. */
export function stateCodec<V>(aggregator: Aggregator<V, State, unknown, null>, store: string): ValueCodec<State> {
  return aggregator.state === undefined ? msgpackCodec(store) : serdeCodec(aggregator.state, store);
}
