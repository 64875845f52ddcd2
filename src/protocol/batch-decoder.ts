import { type BatchHeader, errorDetails, peekBatchHeader } from './batch-header.ts';
import type { RecordColumns } from './columns.ts';
import type { Compression } from './compression.ts';
import { corruptBatch, isUnreadable, keepBytes } from './corrupt.ts';
import { RecordRows } from './record-rows.ts';
import { parseRecords, plainBytes, RecordTable } from './record-table.ts';
import { type DecodeOptions, type UnpackedBatch, unpackBatch } from './unpack-batch.ts';

export type { BatchHeader, BatchPlace } from './batch-header.ts';
export { compressionOf, peekBatchHeader } from './batch-header.ts';
export type { DecodeOptions } from './unpack-batch.ts';

/** How a transaction ended, according to its marker in the log. */
export type ControlMarker = 'commit' | 'abort';

/**
 * A decoded batch: its records as columns, and the fields of its header. A control batch has `count` 0, because markers
 * are not records.
 */
export interface DecodedBatch extends RecordColumns {
  /** Bytes of the encoded batch: the next one starts that much later. */
  readonly byteLength: number;
  readonly lastOffsetDelta: number;
  readonly maxTimestamp: number;
  /** Whether the broker assigned the timestamps; all of them are then `maxTimestamp`. */
  readonly logAppendTime: boolean;
  readonly compression: Compression;
  /** −1n outside idempotent and transactional producing. */
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly control: boolean;
  /** The marker of a control batch; `undefined` for a batch of records, an emptied one, or an unknown marker. */
  readonly marker: ControlMarker | undefined;
}

const NO_RECORDS = new RecordTable(0);

/**
 * Decodes the batch that begins at `start`. Without compression the columns point into `bytes` itself, which then must
 * not change while they are used; a compressed batch is unpacked into new bytes.
 *
 * @throws StoreError `ERR_CORRUPT_BATCH` for anything that is not a complete, valid batch, with the offset range if the
 * header can be read; `ERR_BATCH_TOO_LARGE` if the records exceed `maxOutputBytes`.
 * @throws FatalError `ERR_CODEC_NOT_LOADED`: see `compressionOf` and `ensureCodec`.
 */
export function decodeBatch(bytes: Uint8Array, start: number, options: DecodeOptions = {}): DecodedBatch {
  const input = plainBytes(bytes);
  let end = input.length;
  try {
    const header = peekBatchHeader(input, start, options);
    if (header === undefined) throw corruptBatch('it is cut off', errorDetails(options));
    end = start + header.byteLength;
    return decodeRecords(input, start, header, options);
  } catch (error) {
    if (isUnreadable(error)) keepBytes(error, input.subarray(start, end));
    throw error;
  }
}

/**
 * Decodes the batches of a fetch one by one. A truncated last batch ends the iteration without an error; the generator
 * returns the position where it starts (or the length of `bytes`).
 *
 * @throws as {@link decodeBatch}, at the invalid batch.
 */
export function* decodeBatches(bytes: Uint8Array, options: DecodeOptions = {}): Generator<DecodedBatch, number, void> {
  const input = plainBytes(bytes);
  let start = 0;
  for (;;) {
    const header = peekBatchHeader(input, start, options);
    if (header === undefined) return start;
    yield decodeRecords(input, start, header, options);
    start += header.byteLength;
  }
}

class DecodedRows extends RecordRows implements DecodedBatch {
  readonly byteLength: number;
  readonly lastOffsetDelta: number;
  readonly maxTimestamp: number;
  readonly logAppendTime: boolean;
  readonly compression: Compression;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly marker: ControlMarker | undefined;

  constructor(bytes: Uint8Array, header: BatchHeader, table: RecordTable, marker: ControlMarker | undefined) {
    super(bytes, header.baseOffset, header.nextOffset, table);
    this.byteLength = header.byteLength;
    this.lastOffsetDelta = header.lastOffsetDelta;
    this.maxTimestamp = header.maxTimestamp;
    this.logAppendTime = header.logAppendTime;
    this.compression = header.compression;
    this.producerId = header.producerId;
    this.producerEpoch = header.producerEpoch;
    this.baseSequence = header.baseSequence;
    this.transactional = header.transactional;
    this.control = header.control;
    this.marker = marker;
  }
}

function decodeRecords(bytes: Uint8Array, start: number, header: BatchHeader, options: DecodeOptions): DecodedBatch {
  return decodeUnpacked(unpackBatch(bytes, start, header, options));
}

/** Parses all records. @throws as {@link decodeBatch} */
export function decodeUnpacked({ bytes, from, to, header, guard }: UnpackedBatch): DecodedBatch {
  const table = guard(() => parseRecords(bytes, from, to, header));
  if (header.control) return new DecodedRows(bytes, header, NO_RECORDS, markerOf(bytes, table));
  if (header.logAppendTime) table.timestamp.fill(header.maxTimestamp);
  return new DecodedRows(bytes, header, table, undefined);
}

/** The key of a control record is a version and a type, 16 bits each; the type is 0 for abort and 1 for commit. */
function markerOf(bytes: Uint8Array, table: RecordTable): ControlMarker | undefined {
  const start = table.keyStart[0];
  if (start === undefined || (table.keyLength[0] ?? 0) < 4) return undefined;
  const type = ((bytes[start + 2] ?? 0) << 8) | (bytes[start + 3] ?? 0);
  if (type === 0) return 'abort';
  return type === 1 ? 'commit' : undefined;
}
