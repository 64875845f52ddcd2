/**
 * Turns values into bytes and back. A serde knows nothing of topics and time, and never sees null: the runtime maps a
 * null key or value to Kafka's null (a tombstone) itself, and asks `nullable` whether null is allowed.
 *
 * @typeParam T - What a program sees.
 * @public
 */
export interface Serde<T> {
  /** Short name for graphs and error messages, such as `string` or `json`. */
  readonly name: string;
  /** Whether a null key or value is allowed. Without it a null is a record error (`ERR_NULL_KEY`, `ERR_NULL_VALUE`). */
  readonly nullable?: boolean;
  /**
   * Whether texts, numbers, bigints and booleans differ in their bytes exactly when they differ as values (0 and −0 may do
   * either). Keys are then told apart by value, which costs nothing; otherwise by their bytes, as stores and partitions do.
   */
  readonly keysByValue?: boolean;
  /**
   * @throws RecordError `ERR_ENCODE` when the value cannot be written.
   */
  serialize(value: NonNullable<T>): Uint8Array;
  /**
   * @throws RecordError `ERR_DECODE` for bytes that are not such a value, `ERR_VALIDATION` when a schema refuses it.
   */
  deserialize(bytes: Uint8Array): NonNullable<T>;
  /**
   * Fast path of serdes whose bytes are UTF-8 text: the text instead of its bytes, so that a batch encoder can write it
   * in place. Must agree with `serialize`.
   */
  readonly toText?: (value: NonNullable<T>) => string;
  /**
   * Fast path for reading: decodes `bytes[start, end)` without a view. Must agree with `deserialize`. The bytes may be
   * reused after the call: what is kept must be copied.
   */
  readonly decodeRange?: (bytes: Uint8Array, start: number, end: number) => NonNullable<T>;
}

/** What a serde makes. @public */
export type SerdeType<S> = S extends Serde<infer T> ? T : never;
