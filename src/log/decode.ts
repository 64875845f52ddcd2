import type { InputOrigin } from '../dataflow/task-context.ts';
import { MillraceError, RecordError } from '../errors.ts';
import type { RecordColumns } from '../protocol/columns.ts';
import { type Headers, NO_HEADERS } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';

/**
 * The key of a record; null for a topic that is read without keys.
 *
 * @param lenient - Treat a missing key as null without calling the serde.
 * @throws RecordError `ERR_NULL_KEY`, or what the serde throws.
 */
export function decodeKey(
  serde: Serde<unknown> | undefined,
  batch: RecordColumns,
  at: number,
  topic: string,
  lenient: boolean,
): unknown {
  if (serde === undefined) return null;
  const length = batch.keyLength[at] as number;
  if (length >= 0) return decode(serde, batch.bytes, batch.keyStart[at] as number, length);
  if (serde.nullable === true || lenient) return null;
  throw new RecordError('ERR_NULL_KEY', 'the record has no key', {
    hint: `if records without a key belong in ${topic}, give it the key serde nullable(${serde.name}())`,
  });
}

/**
 * The value of a record.
 *
 * @param lenient - Treat a missing value as null without calling the serde.
 * @throws RecordError `ERR_NULL_VALUE`, or what the serde throws.
 */
export function decodeValue(
  serde: Serde<unknown>,
  batch: RecordColumns,
  at: number,
  topic: string,
  lenient: boolean,
): unknown {
  const length = batch.valueLength[at] as number;
  if (length >= 0) return decode(serde, batch.bytes, batch.valueStart[at] as number, length);
  if (serde.nullable === true || lenient) return null;
  throw new RecordError('ERR_NULL_VALUE', 'the record has no value (a tombstone)', {
    hint: `if deletions belong in ${topic}, give it the value serde nullable(${serde.name}(…)), or read it as a table`,
  });
}

/** A record as it was read, with its own copy of the bytes. */
export function rawRecord(batch: RecordColumns, at: number, topic: string, partition: number): InputOrigin {
  return {
    topic,
    partition,
    offset: batch.baseOffset + (batch.offsetDelta[at] as number),
    timestamp: batch.timestamp[at] as number,
    key: slice(batch.bytes, batch.keyStart[at] as number, batch.keyLength[at] as number),
    value: slice(batch.bytes, batch.valueStart[at] as number, batch.valueLength[at] as number),
    headers: readableHeaders(batch, at),
  };
}

/** The headers of a record; none if they cannot be read, so that the dead letter has none either. */
function readableHeaders(batch: RecordColumns, at: number): Headers {
  try {
    return batch.headers(at);
  } catch {
    return NO_HEADERS;
  }
}

function decode(serde: Serde<unknown>, bytes: Uint8Array, start: number, length: number): unknown {
  try {
    if (serde.decodeRange !== undefined) return serde.decodeRange(bytes, start, start + length);
    return serde.deserialize(bytes.subarray(start, start + length));
  } catch (error) {
    if (error instanceof MillraceError) throw error;
    throw new RecordError('ERR_DECODE', `the serde ${serde.name} failed`, { cause: error });
  }
}

function slice(bytes: Uint8Array, start: number, length: number): Uint8Array | null {
  return length < 0 ? null : bytes.slice(start, start + length);
}
