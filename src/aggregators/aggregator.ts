import type { StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';

/**
 * A pure fold: how records become one value per key or per window. It reads no clock and keeps nothing between calls;
 * all it knows of the past is its state, which the store of the operator holds.
 *
 * @typeParam V - The values that it takes.
 * @typeParam A - Its state. `undefined` is allowed and means that there is none yet; null is not.
 * @typeParam R - What is emitted.
 * @typeParam D - `null` where `add` may delete the entry, `never` where it cannot: rows are then never null.
 * @public
 */
export interface Aggregator<V, A, R = A, D extends null = never> {
  /** Short name for graphs and fingerprints, such as `count`. */
  readonly name: string;
  /** The state before the first record. Called again for each key and window, and after the state was deleted. */
  init(): A;
  /**
   * The state after one more record. The old state must stay as it was: when another part of the same step throws, or the
   * record is skipped, it is still in use.
   *
   * @returns The new state, or null to delete the entry; the next record then starts again from `init`.
   */
  add(state: A, value: V, record: StreamRecord<unknown, V>): A | D;
  /** Joins the states of two spans of records, the earlier one first. Sessions need it. */
  merge?(left: A, right: A): A;
  /**
   * The state without a record that was added before: what {@link Aggregator.add} did to it is taken back. Tables that are
   * regrouped need it. Asked only where there is a state; the old one must stay as it was.
   *
   * @returns The new state, or null to delete the entry.
   */
  remove?(state: A, value: V, record: StreamRecord<unknown, V>): A | D;
  /** What is emitted for a state. Called only when at least one record was added. */
  result(state: A): R;
  /** How the state is stored. Left out: as MessagePack. */
  readonly state?: Serde<A>;
}

/**
 * An {@link Aggregator} of values of type `V`, whatever its state and result. Says as little as possible about these two,
 * so that the compiler infers them from the aggregator and the values from the operator, also inside of `pipe`.
 *
 * @public
 */
export interface AnyAggregator<V> {
  readonly name: string;
  readonly init: object;
  add(state: never, value: V, record: StreamRecord<unknown, V>): unknown;
  readonly result: object;
}

/** Several aggregators over the same values, by name. They share one store. @public */
export interface Spec<V> {
  readonly [name: string]: AnyAggregator<V>;
}

/** The value that a {@link Spec} makes: each name with the result of its aggregator. @public */
export type Aggregated<S> = {
  readonly [P in keyof S]: S[P] extends Aggregator<never, infer _State, infer R, null> ? R : never;
};

/**
 * `null` where an aggregation may delete its entry: several aggregators do when all of them do.
 *
 * @public
 */
export type Deletes<S> = false extends { [P in keyof S]: MayDelete<S[P]> }[keyof S] ? never : null;

type MayDelete<G> =
  G extends Aggregator<never, infer _State, infer _R, infer D> ? ([D] extends [never] ? false : true) : true;
