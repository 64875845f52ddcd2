import type { TopicUse } from '../../dataflow/node.ts';
import { ConfigError, RecordError } from '../../errors.ts';
import { checkFields, encode, partitionOf } from '../../log/encode.ts';
import type { OutputTopic } from '../../log/outputs.ts';
import { counted, partitionsToUse } from '../../options/counted.ts';
import { show } from '../../options/option-checks.ts';
import { MAX_HEADERS, tooManyHeaders } from '../../protocol/header-limit.ts';
import { type Headers, NO_HEADERS } from '../../record.ts';
import { writeFailure } from '../failures.ts';
import type { PublishRecord } from './published.ts';

/** An encoded record, before its partition is chosen. */
export interface EncodedRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | string | null;
  readonly timestamp: number;
  readonly headers: Headers;
  /** The requested partition; −1 for none. */
  readonly partition: number;
  /** Approximate memory of the record, in bytes. */
  readonly size: number;
}

/** Estimate for a record's own fields and its entry in the acknowledgement queue, in bytes. */
const OVERHEAD = 64;
const HEADER_OVERHEAD = 8;

/**
 * Encodes a record immediately, so that the caller may reuse its objects.
 *
 * @throws RecordError with `written: 'no'`: any error of the serdes, `ERR_NULL_KEY`, `ERR_TIMESTAMP`, `ERR_HEADERS`.
 */
export function encodeRecord(use: TopicUse, record: PublishRecord<unknown, unknown>, now: number): EncodedRecord {
  try {
    if (typeof record !== 'object' || record === null) throw notARecord(record);
    checkFields(use.name, record);
    const key = encodeKey(use, record);
    const value = encode(use.value, record.value, use.name, 'value');
    const timestamp = record.timestamp ?? now;
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) throw badTimestamp(timestamp);
    const headers = record.headers ?? NO_HEADERS;
    const headerBytes = headers.length > 0 || !Array.isArray(headers) ? checkHeaders(headers) : 0;
    const size = OVERHEAD + (key?.length ?? 0) + (value?.length ?? 0) + headerBytes;
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
 * The partition of an encoded record; −1 for any.
 *
 * @throws ConfigError `ERR_UNKNOWN_PARTITION` with `written: 'no'` if the topic does not have the partition.
 */
export function choosePartition({ key, partition }: EncodedRecord, { partitions }: OutputTopic, topic: string): number {
  if (partition === -1) return partitionOf(key, partitions);
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition;
  throw new ConfigError(
    'ERR_UNKNOWN_PARTITION',
    `topic ${topic} has ${counted(partitions, 'partition')}, no ${show(partition)}`,
    {
      topic,
      written: 'no',
      hint: `${partitionsToUse(partitions)}, or leave the partition out`,
    },
  );
}

/** Checks headers. @returns their approximate memory, in bytes. */
function checkHeaders(headers: unknown): number {
  if (!Array.isArray(headers)) throw badHeaders(`headers are ${show(headers)}`);
  if (headers.length > MAX_HEADERS) throw tooManyHeaders(headers.length);
  let bytes = 0;
  headers.forEach((header: unknown, i) => {
    if (!Array.isArray(header) || header.length !== 2) throw badHeaders(`header ${i} is ${show(header)}`);
    const [name, value]: readonly unknown[] = header;
    if (typeof name !== 'string') throw badHeaders(`the name of header ${i} is ${show(name)}`);
    if (value !== null && !(value instanceof Uint8Array)) {
      throw badHeaders(`the value of header ${show(name)} is ${show(value)}`);
    }
    bytes += HEADER_OVERHEAD + name.length + (value?.length ?? 0);
  });
  return bytes;
}

function badHeaders(problem: string): RecordError {
  return new RecordError('ERR_HEADERS', problem, {
    hint: "give an array of [name, Uint8Array or null]; a text becomes bytes with new TextEncoder().encode('…')",
  });
}

function badTimestamp(timestamp: unknown): RecordError {
  const hint =
    timestamp instanceof Date
      ? 'give its milliseconds: date.getTime()'
      : 'a timestamp is a whole number of milliseconds since 1970; leave it out to use the current time';
  return new RecordError('ERR_TIMESTAMP', `the timestamp of the record is ${show(timestamp)}`, { hint });
}

function notARecord(record: unknown): RecordError {
  return new RecordError('ERR_ENCODE', `${show(record)} is not a record`, {
    hint: 'publish an object with a value: client.publish(topic, { key, value })',
  });
}
