import type { KeyChanged, StreamRecord, WindowedRecord } from '../record.ts';

/** Any record, with any placement. */
export type AnyRecord = StreamRecord<unknown, unknown, unknown>;

/** A record with values of one type, with any placement. @public */
export type ValuedRecord<V> = StreamRecord<unknown, V, unknown>;

/**
 * A record with another value; key, window and placement stay the same.
 *
 * @public
 */
export type WithValue<R extends StreamRecord<unknown, unknown, unknown>, V> =
  R extends WindowedRecord<infer K, unknown>
    ? WindowedRecord<K, V>
    : R extends StreamRecord<infer K, unknown, infer P>
      ? StreamRecord<K, V, P>
      : never;

/** Takes the place of an operator in the types, and says why there is none. @public */
export interface Refused<Sentence extends string> {
  readonly refused: Sentence;
}

/**
 * `Made`, or a sentence if an asynchronous function was given. Functions that return `any` or `never` pass.
 *
 * @public
 */
export type UnlessAsync<Result, Made, Sentence extends string> = 0 extends 1 & Result
  ? Made
  : [Result] extends [never]
    ? Made
    : Refused<Sentence>;

/**
 * A new record as user code describes it. Missing fields are taken from the original record.
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

/** A new record, or one with a new key: it may not be in the partition of its key. @public */
export type Rekeyed<K, V> = StreamRecord<K, V, KeyChanged>;

/** An unchanged record that has a key: the output of steps that need keys. @public */
export type KeyedRecord<R extends StreamRecord<unknown, unknown>> =
  R extends WindowedRecord<infer K, infer V>
    ? WindowedRecord<NonNullable<K>, V>
    : R extends StreamRecord<infer K, infer V>
      ? StreamRecord<NonNullable<K>, V>
      : never;
