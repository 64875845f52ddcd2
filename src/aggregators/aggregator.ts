import type { StreamRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';

/**
 * A pure fold: how records become one value per key or per window. It reads no clock and keeps nothing between calls:
 * everything it knows about earlier records is in its state, which the operator keeps in its store.
 *
 * @typeParam V - The values that it takes.
 * @typeParam A - Its state. `undefined` is allowed and means "no state yet"; null is not allowed.
 * @typeParam R - What is emitted.
 * @typeParam D - `null` if `add` may delete the entry, `never` if it cannot (rows are then never null).
 * @public
 */
export interface Aggregator<V, A, R = A, D extends null = never> {
  /** Short name for graphs and fingerprints, such as `count`. */
  readonly name: string;
  /** The state before the first record. Called for each key and window, and again after the state was deleted. */
  init(): A;
  /**
   * The state after one more record. Don't modify the old state: it stays in use if another part of the same step
   * throws or the record is skipped.
   *
   * @returns The new state, or null to delete the entry; the next record then starts from `init`.
   */
  add(state: A, value: V, record: StreamRecord<unknown, V>): A | D;
  /** Merges the states of two spans of records, the earlier one first. Required for session windows. */
  merge?(left: A, right: A): A;
  /**
   * The state without a record that was added earlier: the opposite of {@link Aggregator.add}. Required by `regroup`.
   * Called only if there is a state; don't modify the old state.
   *
   * @returns The new state, or null to delete the entry.
   */
  remove?(state: A, value: V, record: StreamRecord<unknown, V>): A | D;
  /** What is emitted for a state. Called only when at least one record was added. */
  result(state: A): R;
  /** How the state is stored (default: MessagePack). */
  readonly state?: Serde<A>;
}

/**
 * An {@link Aggregator} of values of type `V`, with any state and result. It says as little as possible about those
 * two, so that the compiler infers them from the aggregator, and the values from the operator, even inside `pipe`.
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

/** The value that a {@link Spec} produces: each name with the result of its aggregator. @public */
export type Aggregated<S> = {
  readonly [P in keyof S]: S[P] extends Aggregator<never, infer _State, infer R, null> ? R : never;
};

/**
 * `null` if an aggregation may delete its entry. Several aggregators together delete it when all of them do.
 *
 * @public
 */
export type Deletes<S> = false extends { [P in keyof S]: MayDelete<S[P]> }[keyof S] ? never : null;

type MayDelete<G> =
  G extends Aggregator<never, infer _State, infer _R, infer D> ? ([D] extends [never] ? false : true) : true;
