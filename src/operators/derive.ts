import { RecordError } from '../errors.ts';
import { isThenable, settled } from '../options/promises.ts';
import { makeChange, makeRecord, NO_HEADERS, type StreamRecord, type Window, type WindowedRecord } from '../record.ts';
import type { NewRecord, Rekeyed } from './record-types.ts';

type Source = StreamRecord<unknown, unknown, unknown> & { readonly window?: Window; readonly before?: unknown };

/**
 * The record with another value. All operators derive records here, so that records have only two hidden classes and no
 * value is a promise.
 */
export function withValue<V>(record: Source, value: V): StreamRecord<unknown, V> {
  // Asked here too, so that V8 inlines this function.
  if (typeof value === 'object') settled(value);
  const { key, timestamp, headers, topic, partition, offset, window } = record;
  return window === undefined
    ? makeRecord(key, value, timestamp, headers, topic, partition, offset)
    : withWindow(record, key, value, timestamp, window);
}

export function withKey<K, V>(record: StreamRecord<unknown, V, unknown>, key: K): Rekeyed<K, V> {
  if (typeof key === 'object') settled(key);
  const { value, timestamp, headers, topic, partition, offset } = record;
  return makeRecord(key, value, timestamp, headers, topic, partition, offset);
}

export function withWindow<K, V>(
  record: StreamRecord<unknown, unknown, unknown>,
  key: K,
  value: V,
  timestamp: number,
  window: Window,
): WindowedRecord<K, V> {
  const { headers, topic, partition, offset } = record;
  return { key, value, timestamp, headers, topic, partition, offset, window };
}

/** A row that the record triggers but does not belong to, so it does not inherit the record's headers. */
export function withoutHeaders<K, V>(
  record: StreamRecord<unknown, unknown, unknown>,
  key: K,
  value: V,
  timestamp: number,
  window: Window,
): WindowedRecord<K, V> {
  const { topic, partition, offset } = record;
  return { key, value, timestamp, headers: NO_HEADERS, topic, partition, offset, window };
}

/** The record with another timestamp. @throws as {@link fromNew}. */
export function withTimestamp(record: Source, timestamp: number): StreamRecord<unknown, unknown, unknown> {
  checkTimestamp(timestamp);
  const { key, value, headers, topic, partition, offset, window, before } = record;
  if (before !== undefined) return makeChange<unknown, unknown>(key, value, before, timestamp, record);
  return window === undefined
    ? makeRecord(key, value, timestamp, headers, topic, partition, offset)
    : withWindow(record, key, value, timestamp, window);
}

/**
 * @throws ConfigError `ERR_ASYNC_FUNCTION` for a promise; RecordError `ERR_TIMESTAMP` if the new timestamp is not a
 * whole number of milliseconds, 0 or more.
 */
export function fromNew<K, V>(record: StreamRecord<unknown, unknown, unknown>, made: NewRecord<K, V>): Rekeyed<K, V> {
  if (made.key === undefined && isThenable(made)) settled(made);
  const timestamp = made.timestamp ?? record.timestamp;
  const headers = made.headers ?? record.headers;
  checkTimestamp(timestamp);
  const { topic, partition, offset } = record;
  return makeRecord(settled(made.key), settled(made.value), timestamp, headers, topic, partition, offset);
}

export function checkTimestamp(timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return;
  settled(timestamp);
  throw new RecordError('ERR_TIMESTAMP', `the new timestamp is ${timestamp}`, {
    hint: 'a timestamp is a whole number of milliseconds since 1970, 0 or more',
  });
}
