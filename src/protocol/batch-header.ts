import type { ErrorDetails } from '../errors.ts';
import * as at from './batch-format.ts';
import type { Compression } from './compression.ts';
import { compressionById } from './compression-id.ts';
import { corruptBatch } from './corrupt.ts';

/** What is known about a batch without decoding its records. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Bytes of the encoded batch, header included. */
  readonly byteLength: number;
  readonly lastOffsetDelta: number;
  /** The offset after this batch, even if compaction has removed records from it. */
  readonly nextOffset: number;
  /** Number of records; for a control batch, its markers. */
  readonly count: number;
  /** Rounded if it is beyond ±(2^53 − 1), like `maxTimestamp`. */
  readonly baseTimestamp: number;
  /** Only present if it had to be rounded. */
  readonly exactBaseTimestamp: bigint | undefined;
  readonly maxTimestamp: number;
  /** Whether the broker assigned the timestamps; all of them are then `maxTimestamp`. */
  readonly logAppendTime: boolean;
  readonly compression: Compression;
  readonly leaderEpoch: number;
  /** −1n outside idempotent and transactional producing. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  /** Whether the batch holds transaction markers instead of records. */
  readonly control: boolean;
  readonly crc: number;
}

/** For the messages of errors. */
export interface BatchPlace {
  readonly topic?: string | undefined;
  readonly partition?: number | undefined;
}

const TWO_32 = 4_294_967_296;
const MIN_BATCH_LENGTH = at.HEADER_BYTES - at.LENGTH_PREFIX_BYTES;

/**
 * Reads the header of the batch that begins at `start`, without touching its records or its checksum.
 *
 * @returns `undefined` if the buffer ends before the batch does, which is normal for the last batch of a fetch.
 * @throws StoreError `ERR_CORRUPT_BATCH` if this cannot be a batch of format v2, or is beyond offset 2^53 − 1.
 */
export function peekBatchHeader(bytes: Uint8Array, start: number, place?: BatchPlace): BatchHeader | undefined {
  const available = bytes.length - start;
  if (available < at.LENGTH_PREFIX_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, available);
  const batchLength = view.getInt32(at.BATCH_LENGTH);
  if (batchLength < MIN_BATCH_LENGTH) {
    throw corruptBatch(`its length field says ${batchLength} bytes`, errorDetails(place));
  }
  const byteLength = batchLength + at.LENGTH_PREFIX_BYTES;
  if (byteLength > available) return undefined;
  const magic = view.getInt8(at.MAGIC);
  if (magic !== at.MAGIC_V2) {
    const old = magic === 0 || magic === 1 ? ' (the format before Kafka 0.11)' : '';
    // The older formats have an offset here too: of the message, or of the last one in a compressed set.
    const offset = readInt64(view, at.BASE_OFFSET);
    const known = old !== '' && Number.isSafeInteger(offset) && offset >= 0 ? offset : undefined;
    throw corruptBatch(`its format is ${magic}${old}, and only format 2 is read`, errorDetails(place, known, known));
  }
  const baseOffset = readInt64(view, at.BASE_OFFSET);
  const lastOffsetDelta = view.getInt32(at.LAST_OFFSET_DELTA);
  const nextOffset = baseOffset + lastOffsetDelta + 1;
  if (lastOffsetDelta < 0 || baseOffset < 0 || !Number.isSafeInteger(nextOffset)) {
    const reason = `offsets ${baseOffset} + ${lastOffsetDelta} are not between 0 and 2^53 − 1`;
    throw corruptBatch(reason, errorDetails(place));
  }
  const details = (): ErrorDetails => errorDetails(place, baseOffset, nextOffset - 1);
  const baseTimestamp = readInt64(view, at.BASE_TIMESTAMP);
  const maxTimestamp = readInt64(view, at.MAX_TIMESTAMP);
  const count = view.getInt32(at.RECORD_COUNT);
  if (count < 0 || count > lastOffsetDelta + 1) {
    throw corruptBatch(`it claims ${count} records in ${lastOffsetDelta + 1} offsets`, details());
  }
  const attributes = view.getInt16(at.ATTRIBUTES);
  const compression = compressionById(attributes & at.CODEC_MASK);
  if (compression === undefined) {
    throw corruptBatch(`there is no compression number ${attributes & at.CODEC_MASK}`, details());
  }
  return {
    baseOffset,
    byteLength,
    lastOffsetDelta,
    nextOffset,
    count,
    baseTimestamp,
    exactBaseTimestamp: Number.isSafeInteger(baseTimestamp) ? undefined : view.getBigInt64(at.BASE_TIMESTAMP),
    maxTimestamp,
    logAppendTime: (attributes & at.LOG_APPEND_TIME_FLAG) !== 0,
    compression,
    leaderEpoch: view.getInt32(at.LEADER_EPOCH),
    producerId: view.getBigInt64(at.PRODUCER_ID),
    producerEpoch: view.getInt16(at.PRODUCER_EPOCH),
    baseSequence: view.getInt32(at.BASE_SEQUENCE),
    transactional: (attributes & at.TRANSACTIONAL_FLAG) !== 0,
    control: (attributes & at.CONTROL_FLAG) !== 0,
    crc: view.getUint32(at.CRC),
  };
}

/**
 * The compression of the batch at `start`, so that its codec can be loaded before decoding; `undefined` if truncated.
 */
export function compressionOf(bytes: Uint8Array, start: number): Compression | undefined {
  return peekBatchHeader(bytes, start)?.compression;
}

/**
 * Sets the offset of a batch's first record, in place, and the leader epoch if given. Neither is covered by the
 * checksum, so a log can assign offsets without touching the records.
 */
export function stampBaseOffset(batch: Uint8Array, baseOffset: number, leaderEpoch?: number): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  writeInt64(view, at.BASE_OFFSET, baseOffset);
  if (leaderEpoch !== undefined) view.setInt32(at.LEADER_EPOCH, leaderEpoch);
}

/** Error details with only those fields that are known. */
export function errorDetails(place?: BatchPlace, offset?: number, lastOffset?: number): ErrorDetails {
  return {
    ...(place?.topic === undefined ? {} : { topic: place.topic }),
    ...(place?.partition === undefined ? {} : { partition: place.partition }),
    ...(offset === undefined ? {} : { offset }),
    ...(lastOffset === undefined ? {} : { lastOffset }),
  };
}

/** A signed 64-bit integer as a number: exact within ±2^53, rounded beyond. */
export function readInt64(view: DataView, position: number): number {
  return view.getInt32(position) * TWO_32 + view.getUint32(position + 4);
}

/** Writes an integer within ±2^53 in 64 bits. */
export function writeInt64(view: DataView, position: number, value: number): void {
  view.setInt32(position, Math.floor(value / TWO_32));
  view.setInt32(position + 4, value >>> 0);
}
