import type { Aggregated, Aggregator, Spec } from '../aggregators/aggregator.ts';
import { combine } from '../aggregators/combine.ts';
import { msgpackCodec, serdeCodec, type ValueCodec } from '../state/value-codec.ts';

// `any` stands in constraint position: a state is read and written by its own aggregator only.
// oxlint-disable-next-line typescript/no-explicit-any
type AnyState = any;

/** One aggregator, or several by name that share one store. @public */
export type Aggregation<V> = Aggregator<V, AnyState, unknown> | Spec<V>;

/** The value that an aggregation makes. @public */
export type AggregationResult<S> =
  S extends Aggregator<never, infer _State, infer R> ? R : S extends Spec<never> ? Aggregated<S> : never;

/** A state as the operators see it: something that its aggregator understands. */
export type State = NonNullable<unknown>;

/** The one aggregator that an aggregation comes to. */
export function toAggregator<V>(aggregation: Aggregation<V>): Aggregator<V, State, unknown> {
  return isAggregator(aggregation) ? aggregation : (combine(aggregation) as Aggregator<V, AnyState, unknown>);
}

function isAggregator<V>(aggregation: Aggregation<V>): aggregation is Aggregator<V, AnyState, unknown> {
  return typeof aggregation['init'] === 'function' && typeof aggregation['add'] === 'function';
}

/** How the states of an aggregator are stored: by its own serde, else as MessagePack. */
export function stateCodec<V>(aggregator: Aggregator<V, State, unknown>, store: string): ValueCodec<State> {
  return aggregator.state === undefined ? msgpackCodec(store) : serdeCodec(aggregator.state, store);
}
