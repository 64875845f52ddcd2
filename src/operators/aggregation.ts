import type { Aggregated, Aggregator, Spec } from '../aggregators/aggregator.ts';
import { combine } from '../aggregators/combine.ts';
import { msgpackCodec, serdeCodec, type ValueCodec } from '../state/value-codec.ts';

/** One aggregator, or several by name that share one store. @public */
export type Aggregation<V> = Aggregator<V, any, any> | Spec<V>;

/** The value that an aggregation makes. @public */
export type AggregationResult<S> =
  S extends Aggregator<never, infer _A, infer R> ? R : S extends Spec<never> ? Aggregated<S> : never;

/** The one aggregator that an aggregation comes to. */
export function toAggregator<V>(aggregation: Aggregation<V>): Aggregator<V, unknown, unknown> {
  return isAggregator(aggregation) ? aggregation : (combine(aggregation) as Aggregator<V, unknown, unknown>);
}

function isAggregator<V>(aggregation: Aggregation<V>): aggregation is Aggregator<V, unknown, unknown> {
  return typeof aggregation['init'] === 'function' && typeof aggregation['add'] === 'function';
}

/** How the states of an aggregator are stored: by its own serde, else as MessagePack. */
export function stateCodec<A>(aggregator: Aggregator<never, A, unknown>, store: string): ValueCodec<NonNullable<A>> {
  return aggregator.state === undefined ? msgpackCodec(store) : serdeCodec(aggregator.state, store);
}
