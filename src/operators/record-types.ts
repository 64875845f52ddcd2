import type { KeyChanged, StreamRecord, WindowedRecord } from '../record.ts';

/** Any record, wherever it lies. */
export type AnyRecord = StreamRecord<unknown, unknown, unknown>;

/** A record with values of one type, wherever it lies. @public */
export type ValuedRecord<V> = StreamRecord<unknown, V, unknown>;

/**
 * A record with another value: key, window and placement stay.
 *
 * @public
 */
export type WithValue<R extends StreamRecord<unknown, unknown, unknown>, V> =
  R extends WindowedRecord<infer K, unknown>
    ? WindowedRecord<K, V>
    : R extends StreamRecord<infer K, unknown, infer P>
      ? StreamRecord<K, V, P>
      : never;

/** Stands where an operator would, and tells why there is none. @public */
export interface Refused<Sentence extends string> {
  readonly refused: Sentence;
}

/**
 * `Made`, or a sentence where an asynchronous function was given. Functions that return `any`, or never return, pass.
 *
 * @public
 */
export type UnlessAsync<Result, Made, Sentence extends string> = 0 extends 1 & Result
  ? Made
  : [Result] extends [never]
    ? Made
    : Refused<Sentence>;

/**
 * A new record as user code describes it. What is left out is taken from the record it was made of.
 *
 * @public
 */
export interface NewRecord<K, V> {
  readonly key: K;
  readonly value: V;
  /** Event time in ms since the epoch. */
  readonly timestamp?: number;
  readonly headers?: StreamRecord<K, V>['headers'];
}

/** A new record, or one with a new key: it may not lie where its key belongs. @public */
export type Rekeyed<K, V> = StreamRecord<K, V, KeyChanged>;

/** A record as it came, with a key: what steps that need keys hand on. @public */
export type KeyedRecord<R extends StreamRecord<unknown, unknown>> =
  R extends WindowedRecord<infer K, infer V>
    ? WindowedRecord<NonNullable<K>, V>
    : R extends StreamRecord<infer K, infer V>
      ? StreamRecord<NonNullable<K>, V>
      : never;
