import { ConfigError, RecordError } from '../errors.ts';
import { show } from '../option-checks.ts';
import { type Headers, NO_HEADERS } from '../record.ts';
import type { OutputTopic } from '../runtime/outputs.ts';
import { encode, partitionOf } from '../sinks/encode.ts';
import type { TopicUse } from '../topology/node.ts';
import { writeFailure } from './failures.ts';
import type { PublishRecord } from './published.ts';

/** A record as bytes or text, before its partition is chosen. */
export interface EncodedRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly timestamp: number;
  readonly headers: Headers;
  /** The partition that was asked for; −1 for none. */
  readonly partition: number;
  /** About how much memory the record takes. */
  readonly size: number;
}

/** Room for a record's own fields and for what waits for its acknowledgement. */
const OVERHEAD = 64;

/**
 * Encodes a record at once, so that the caller may reuse its objects.
 *
 * @throws RecordError with `written: 'no'`: whatever the serdes say, `ERR_NULL_KEY`, `ERR_TIMESTAMP`, `ERR_HEADERS`.
 */
export function encodeRecord(use: TopicUse, record: PublishRecord<unknown, unknown>, now: number): EncodedRecord {
  try {
    if (typeof record !== 'object' || record === null) throw notARecord(record);
    const key = encodeKey(use, record);
    const value = encode(use.value, record.value, use.name, 'value');
    const timestamp = record.timestamp ?? now;
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw badTimestamp(timestamp);
    const headers = record.headers ?? NO_HEADERS;
    if (headers.length > 0 || !Array.isArray(headers)) checkHeaders(headers);
    const size = OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0);
    return { key, value, timestamp, headers, partition: record.partition ?? -1, size };
  } catch (error) {
    throw writeFailure(error, use.name, 'no');
  }
}

function encodeKey(use: TopicUse, { key }: PublishRecord<unknown, unknown>): Uint8Array | string | null {
  if (use.key !== undefined) return encode(use.key, key, use.name, 'key');
  if (key === null || key === undefined) return null;
  throw new RecordError('ERR_KEY', `a record with a key is published to ${use.name}, which has no key serde`, {
    hint: `say how keys are written: topic('${use.name}', { key: string(), … })`,
  });
}

/**
 * The partition of an encoded record; −1 when any will do.
 *
 * @throws ConfigError `ERR_UNKNOWN_PARTITION` with `written: 'no'` for one that the topic does not have.
 */
export function choosePartition({ key, partition }: EncodedRecord, { partitions }: OutputTopic, topic: string): number {
  if (partition === -1) return partitionOf(key, partitions);
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition;
  throw new ConfigError('ERR_UNKNOWN_PARTITION', `topic ${topic} has ${partitions} partitions, no ${show(partition)}`, {
    topic,
    written: 'no',
    hint: `use partitions 0 to ${partitions - 1}, or leave the partition out`,
  });
}

function checkHeaders(headers: unknown): void {
  const isHeader = (each: unknown): boolean =>
    Array.isArray(each) && typeof each[0] === 'string' && (each[1] === null || each[1] instanceof Uint8Array);
  if (Array.isArray(headers) && headers.every(isHeader)) return;
  throw new RecordError('ERR_HEADERS', `headers are ${show(headers)}`, {
    hint: 'give an array of [name, Uint8Array or null]',
  });
}

function badTimestamp(timestamp: unknown): RecordError {
  return new RecordError('ERR_TIMESTAMP', `the record has the timestamp ${show(timestamp)}`, {
    hint: 'a timestamp is a whole number of milliseconds since 1970; leave it out for now',
  });
}

function notARecord(record: unknown): RecordError {
  return new RecordError('ERR_ENCODE', `${show(record)} is no record`, {
    hint: 'publish an object with a value: client.publish(topic, { key, value })',
  });
}
