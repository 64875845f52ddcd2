/**
 * Converts values to bytes and back. A serde knows nothing about topics or time, and never sees null: the runtime
 * itself maps a null key or value to Kafka's null (a tombstone), and checks `nullable` to see whether null is allowed.
 *
 * @typeParam T - The type that the program sees.
 * @public
 */
export interface Serde<T> {
  /** Short name for graphs and error messages, such as `string` or `json`. */
  readonly name: string;
  /** Whether a null key or value is allowed. Without it a null is a record error (`ERR_NULL_KEY`, `ERR_NULL_VALUE`). */
  readonly nullable?: boolean;
  /**
   * Whether strings, numbers, bigints and booleans have different bytes exactly if they are different values (0 and −0
   * may go either way). Keys are then compared by value, which is cheap; otherwise by their bytes, as in stores and
   * partitions.
   */
  readonly keysByValue?: boolean;
  /** @throws RecordError `ERR_ENCODE` if the value cannot be written. */
  serialize(value: NonNullable<T>): Uint8Array;
  /** @throws RecordError `ERR_DECODE` if the bytes are not such a value, `ERR_VALIDATION` if a schema refuses it. */
  deserialize(bytes: Uint8Array): NonNullable<T>;
  /**
   * Fast path for serdes whose bytes are UTF-8 text: returns the text instead of its bytes, so that a batch encoder can
   * write it in place. It must agree with `serialize`.
   */
  readonly toText?: (value: NonNullable<T>) => string;
  /**
   * Fast path for reading: decodes `bytes[start, end)` without a view. It must agree with `deserialize`. The bytes may
   * be reused after the call, so copy whatever you keep.
   */
  readonly decodeRange?: (bytes: Uint8Array, start: number, end: number) => NonNullable<T>;
}

/** The type of the values of a serde. @public */
export type SerdeType<S> = S extends Serde<infer T> ? T : never;
