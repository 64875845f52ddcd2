import { RecordError } from '../errors.ts';
import { makeRecord, type StreamRecord, type Window, type WindowedRecord } from '../record.ts';
import type { NewRecord, Rekeyed } from './record-types.ts';

type Source = StreamRecord<unknown, unknown, unknown> & { readonly window?: Window };

/** The record with another value. All operators derive records here, so that records have two hidden classes in all. */
export function withValue<V>(record: Source, value: V): StreamRecord<unknown, V> {
  const { key, timestamp, headers, topic, partition, offset, window } = record;
  return window === undefined
    ? makeRecord(key, value, timestamp, headers, topic, partition, offset)
    : withWindow(record, key, value, timestamp, window);
}

export function withKey<K, V>(record: StreamRecord<unknown, V, unknown>, key: K): Rekeyed<K, V> {
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

/** @throws RecordError `ERR_TIMESTAMP` when the new timestamp is no whole number of milliseconds from 0 on. */
export function fromNew<K, V>(record: StreamRecord<unknown, unknown, unknown>, made: NewRecord<K, V>): Rekeyed<K, V> {
  const timestamp = made.timestamp ?? record.timestamp;
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw new RecordError('ERR_TIMESTAMP', `the new timestamp is ${timestamp}`, {
      hint: 'a timestamp is a whole number of milliseconds since 1970, 0 or more',
    });
  }
  const { topic, partition, offset } = record;
  return makeRecord(made.key, made.value, timestamp, made.headers ?? record.headers, topic, partition, offset);
}
