/**
 * One header of a record. Headers keep their order and a name may occur more than once, as in Kafka.
 *
 * @public
 */
export type Header = readonly [name: string, value: Uint8Array | null];

/** The headers of a record, in the order in which they were written. @public */
export type Headers = readonly Header[];

/** The headers of a record that has none: one shared, frozen array. @public */
export const NO_HEADERS: Headers = Object.freeze([]);

/** Placement of a record that lies in the partition that its key belongs to. @public */
export type CoLocated = 'co-located with its key';

/**
 * Placement of a record whose key was changed. The compiler prints this sentence when a stateful operator meets it.
 *
 * @public
 */
export type KeyChanged = 'key changed: pipe through(topic) before a stateful operator';

/**
 * Placement of a record of a topic without keys. The compiler prints this sentence when a stateful operator meets it.
 *
 * @public
 */
export type NoKey = 'no key: choose one with keyBy(…) and pipe through(topic) before a stateful operator';

/** Placement of the records of a topic by the type of its keys. @public */
export type PlacementOf<K> = unknown extends K ? CoLocated : [K] extends [null] ? NoKey : CoLocated;

/** Exists in types only: carries the placement of a record through plain RxJS operators. @public */
export declare const placement: unique symbol;

/**
 * The element of every stream: what it says (key, value, timestamp, headers) and where it came from.
 *
 * @typeParam K - The key. `null` for a topic without keys.
 * @typeParam V - The value. Includes `null` only where the serde is `nullable(…)` or the table allows tombstones.
 * @typeParam P - Whether the record still lies where its key belongs; checked by stateful operators at compile time.
 * @public
 */
export interface StreamRecord<K, V, P = CoLocated> {
  readonly key: K;
  readonly value: V;
  /** Event time in milliseconds since the epoch, an integer. */
  readonly timestamp: number;
  readonly headers: Headers;
  /** The topic that the record was read from; of the input record where an operator made a new one. */
  readonly topic: string;
  readonly partition: number;
  /** Offset in the partition. Offsets beyond 2^53 − 1 are refused when they are read. */
  readonly offset: number;
  readonly [placement]?: P;
}

/**
 * A span of event time, in milliseconds since the epoch. `[start, end)` for tumbling and hopping windows; both ends
 * included for sliding and session windows. `end` is `Infinity` for an unlimited window.
 *
 * @public
 */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** A record that speaks of a window. The window stands beside the key, so the record stays joinable by its key. @public */
export interface WindowedRecord<K, V> extends StreamRecord<K, V> {
  readonly window: Window;
}

/**
 * A record that tells how the row of a key changed: what it was, and what it is from now on.
 *
 * @typeParam V - The rows.
 * @typeParam D - `null` where rows can be deleted, and `value` is null then; `never` where they cannot.
 * @public
 */
export interface Change<K, V, D extends null = null> extends StreamRecord<K, V | D> {
  /** The row before this change; `null` where there was none. */
  readonly before: V | null;
  /**
   * `false` where a table with history has taken an older version of the row: the newest one stays as it is. `before` is then
   * the row that the key had at that time.
   */
  readonly newest?: false;
}

/**
 * Why a record came too late. It is counted, and it goes to the `late` stream where one is given.
 *
 * @public
 */
export interface Lateness {
  /** The step that refused the record, such as `windowBy(clicks-per-minute)`. */
  readonly step: string;
  /** Stream time of that step when the record arrived, this record included. */
  readonly streamTime: number;
  readonly reason: 'window closed';
  /** The closed windows that the record belongs to. */
  readonly missed: readonly Window[];
  /** Whether other, still open windows took the record. */
  readonly partial: boolean;
}

/** A record that came too late for one or more windows. @public */
export interface LateRecord<K, V> extends StreamRecord<K, V> {
  readonly late: Lateness;
}

/**
 * Makes a record. One function makes all of them, so that all records have one hidden class and property access in
 * operators stays monomorphic.
 */
export function makeRecord<K, V, P = CoLocated>(
  key: K,
  value: V,
  timestamp: number,
  headers: Headers,
  topic: string,
  partition: number,
  offset: number,
): StreamRecord<K, V, P> {
  return { key, value, timestamp, headers, topic, partition, offset };
}

/** Makes a change of a row; as {@link makeRecord}, of which it has the fields in the same order. */
export function makeChange<K, V, D extends null = null>(
  key: K,
  value: V | D,
  before: V | null,
  timestamp: number,
  {
    headers,
    offset,
    partition,
    topic,
  }: Pick<StreamRecord<unknown, unknown>, 'headers' | 'topic' | 'partition' | 'offset'>,
): Change<K, V, D> {
  return { key, value, timestamp, headers, topic, partition, offset, before };
}

/** As {@link makeChange}, of a row that is not the newest of its key where `newest` is false. */
export function makeVersion<K, V>(
  key: K,
  value: V | null,
  before: V | null,
  timestamp: number,
  record: Pick<StreamRecord<unknown, unknown>, 'headers' | 'topic' | 'partition' | 'offset'>,
  newest: boolean,
): Change<K, V> {
  const change = makeChange<K, V>(key, value, before, timestamp, record);
  return newest ? change : { ...change, newest };
}
