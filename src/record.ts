/**
 * One header of a record. Headers keep their order and a name may occur more than once, as in Kafka.
 *
 * @public
 */
export type Header = readonly [name: string, value: Uint8Array | null];

/** The headers of a record, in the order in which they were written. @public */
export type Headers = readonly Header[];

/** The headers of a record without headers: one shared, frozen array. @public */
export const NO_HEADERS: Headers = Object.freeze([]);

/** Placement of a record that is in the partition its key belongs to. @public */
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

/** Exists only in types: carries the placement of a record through plain RxJS operators. @public */
export declare const placement: unique symbol;

/**
 * The element of every stream: its content (key, value, timestamp, headers) and where it came from.
 *
 * @typeParam K - The key. `null` for a topic without keys.
 * @typeParam V - The value. Includes `null` only where the serde is `nullable(…)` or the table allows tombstones.
 * @typeParam P - Whether the record is still in the partition of its key. Stateful operators check this at compile
 * time.
 * @public
 */
export interface StreamRecord<K, V, P = CoLocated> {
  readonly key: K;
  readonly value: V;
  /** Event time in milliseconds since the epoch, an integer. */
  readonly timestamp: number;
  readonly headers: Headers;
  /** The topic that the record was read from. A record made by an operator has the topic of its input record. */
  readonly topic: string;
  readonly partition: number;
  /** Offset in the partition. Offsets above 2^53 − 1 are refused on read. */
  readonly offset: number;
  readonly [placement]?: P;
}

/**
 * A span of event time, in milliseconds since the epoch. Tumbling and hopping windows are `[start, end)`; sliding and
 * session windows include both ends. `end` is `Infinity` for an unlimited window.
 *
 * @public
 */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/**
 * A record about a window. The window is separate from the key, so the record can still be joined by its key. @public
 */
export interface WindowedRecord<K, V> extends StreamRecord<K, V> {
  readonly window: Window;
}

/**
 * A record that describes how the row of a key changed: the row before and the row after.
 *
 * @typeParam V - The rows.
 * @typeParam D - `null` if rows can be deleted (`value` is then null on a deletion), `never` if they cannot.
 * @public
 */
export interface Change<K, V, D extends null = null> extends StreamRecord<K, V | D> {
  /** The row before this change; `null` if there was none. */
  readonly before: V | null;
  /**
   * `false` if a table with history has stored an older version of the row. The newest row is then unchanged, and
   * `before` is the row that the key had at that earlier time.
   */
  readonly newest?: false;
}

/**
 * Why a record was too late. Late records are counted, and go to the `late` stream if one is given.
 *
 * @public
 */
export interface Lateness {
  /** The step that refused the record, such as `windowBy(clicks-per-minute)`. */
  readonly step: string;
  /** Stream time of that step when the record arrived, including this record. */
  readonly streamTime: number;
  readonly reason: 'window closed';
  /** The closed windows that the record belongs to. */
  readonly missed: readonly Window[];
  /** Whether the record was added to other windows that were still open. */
  readonly partial: boolean;
}

/** A record that came too late for one or more windows. @public */
export interface LateRecord<K, V> extends StreamRecord<K, V> {
  readonly late: Lateness;
}

/**
 * Makes a record. All records are made here, so that they share one hidden class and property access in operators stays
 * monomorphic.
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

/** Makes a change of a row. Its first fields are those of {@link makeRecord}, in the same order. */
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

/** Like {@link makeChange}; with `newest` false, the change is to an older version than the newest row of the key. */
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
