import { ConfigError, RecordError } from '../errors.ts';
import type { Headers } from '../record.ts';
import { BatchCursor } from './batch-cursor.ts';
import * as at from './batch-format.ts';
import { sealBatch } from './batch-seal.ts';
import type { RecordColumns } from './columns.ts';
import { type Compression, compress } from './compression.ts';
import { compressionId } from './compression-id.ts';
import { RecordRows } from './record-rows.ts';
import { parseRecords, type RecordsInfo } from './record-table.ts';
import { maxRecordBytes, writeEncoded, writeRecord } from './record-writer.ts';
import type { SharedRows } from './shared-rows.ts';

export { stampBaseOffset } from './batch-header.ts';

/** How a batch is written. */
export interface FinishOptions {
  /** Default: `none`. The codec of any other must have been loaded with `ensureCodec`. */
  readonly compression?: Compression;
  /** Default: −1n, not idempotent. */
  readonly producerId?: bigint;
  /** Default: −1, like `baseSequence`. */
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
}

/** Room for the fields before the key of a record. */
const MAX_PREFIX = 5 + 1 + 10 + 5;

/** Positions are 32-bit integers in the columns of readers. */
const MAX_BATCH_BYTES = 2 ** 31 - 1;

/**
 * Encodes records into one Kafka record batch (format v2) as they are appended, in one growing buffer. The first record
 * has offset 0; a log sets the real base offset later (`stampBaseOffset`).
 */
export class RecordBatchBuilder {
  #bytes: Uint8Array;
  #end: number = at.HEADER_BYTES;
  #count = 0;
  #baseTimestamp = -1;
  #maxTimestamp = -1;
  #inOrder = true;

  /** @param initialCapacity - Bytes to reserve at first. */
  constructor(initialCapacity = 4096) {
    this.#bytes = new Uint8Array(Math.max(initialCapacity, at.HEADER_BYTES));
  }

  /** Number of records appended since the last `reset`. */
  get count(): number {
    return this.#count;
  }

  /** Size of the batch in bytes before compression, header included. */
  get sizeInBytes(): number {
    return this.#end;
  }

  /** The largest timestamp appended, in epoch milliseconds; −1 when empty. */
  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /** Timestamp of the first record, in epoch milliseconds; −1 when empty. */
  get firstTimestamp(): number {
    return this.#baseTimestamp;
  }

  /** Whether no record is older than one before it. */
  get inOrder(): boolean {
    return this.#inOrder;
  }

  /**
   * Appends a record. Text is written as UTF-8, bytes are copied. An append that throws leaves the builder as it was.
   *
   * @param timestamp - Epoch milliseconds, an integer; −1 for none, as Kafka has it.
   * @throws RecordError `ERR_TIMESTAMP` for any other timestamp; `ERR_RECORD_TOO_LARGE` when the batch would exceed
   * 2 GiB.
   */
  append(
    timestamp: number,
    key: Uint8Array | string | null,
    value: Uint8Array | string | null,
    headers: Headers,
  ): void {
    if (!Number.isSafeInteger(timestamp) || timestamp < -1) throw badTimestamp(timestamp);
    const start = this.#end;
    const most = start + maxRecordBytes(key, value, headers);
    if (most > this.#bytes.length) this.#grow(most);
    const base = this.#count === 0 ? timestamp : this.#baseTimestamp;
    const end = writeRecord(this.#bytes, start, timestamp - base, this.#count, key, value, headers);

    this.#end = end;
    this.#baseTimestamp = base;
    this.#count++;
    if (timestamp >= this.#maxTimestamp) this.#maxTimestamp = timestamp;
    else this.#inOrder = false;
  }

  /** Appends the current record of another batch in its encoded form. */
  appendFrom(cursor: BatchCursor): void {
    const { end: to, start: from, timestamp } = cursor;
    const start = this.#end;
    const most = start + MAX_PREFIX + to - from;
    if (most > this.#bytes.length) this.#grow(most);
    if (this.#count === 0) this.#baseTimestamp = timestamp;
    this.#end = writeEncoded(this.#bytes, start, timestamp - this.#baseTimestamp, this.#count, cursor.bytes, from, to);
    this.#count++;
    if (timestamp >= this.#maxTimestamp) this.#maxTimestamp = timestamp;
    else this.#inOrder = false;
  }

  /** The encoded records, for `appendFrom` of another builder; valid until this one changes. */
  cursor(): BatchCursor {
    return new BatchCursor(this.#bytes, at.HEADER_BYTES, this.#end, this.#baseTimestamp);
  }

  /**
   * The whole batch with base offset 0 and its checksum, uncompressed if compression saves nothing. The bytes are
   * independent of the builder, which is unchanged.
   *
   * @throws ConfigError `ERR_EMPTY_BATCH` without records; FatalError `ERR_CODEC_NOT_LOADED`.
   */
  finish(options: FinishOptions = {}): Uint8Array {
    if (this.#count === 0) {
      throw new ConfigError('ERR_EMPTY_BATCH', 'A record batch needs at least one record');
    }
    const wanted = options.compression ?? 'none';
    const plain = this.#bytes.subarray(at.HEADER_BYTES, this.#end);
    const packed = wanted === 'none' ? plain : compress(wanted, plain);
    // Data that does not become smaller is stored uncompressed: compression must not make a fitting record too large.
    const compression = packed.length < plain.length ? wanted : 'none';
    const records = compression === 'none' ? plain : packed;
    const batch = new Uint8Array(at.HEADER_BYTES + records.length);
    batch.set(records, at.HEADER_BYTES);
    sealBatch(batch, {
      attributes: compressionId(compression) | (options.transactional === true ? at.TRANSACTIONAL_FLAG : 0),
      lastOffsetDelta: this.#count - 1,
      baseTimestamp: this.#baseTimestamp,
      maxTimestamp: this.#maxTimestamp,
      producerId: options.producerId ?? -1n,
      producerEpoch: options.producerEpoch ?? -1,
      baseSequence: options.baseSequence ?? -1,
      count: this.#count,
    });
    return batch;
  }

  /** The records as columns over a copy of the bytes, without encoding a batch: for logs that stay in memory. */
  columns(baseOffset: number): RecordColumns {
    const bytes = this.#bytes.slice(at.HEADER_BYTES, this.#end);
    const table = parseRecords(bytes, 0, bytes.length, this.#info());
    return new RecordRows(bytes, baseOffset, baseOffset + this.#count, table);
  }

  /**
   * Like `columns`, but into columns shared with other records. @returns the index of the first; −1 if there is no room
   */
  rowsInto(shared: SharedRows): number {
    return shared.add(this.#bytes, at.HEADER_BYTES, this.#end, this.#info());
  }

  #info(): RecordsInfo {
    return { count: this.#count, baseTimestamp: this.#baseTimestamp, lastOffsetDelta: this.#count - 1 };
  }

  /** Forgets all records and keeps the memory. */
  reset(): void {
    this.#end = at.HEADER_BYTES;
    this.#count = 0;
    this.#baseTimestamp = -1;
    this.#maxTimestamp = -1;
    this.#inOrder = true;
  }

  #grow(needed: number): void {
    if (needed > MAX_BATCH_BYTES) {
      throw new RecordError('ERR_RECORD_TOO_LARGE', `Record batch would need ${needed} bytes, but the limit is 2 GiB`, {
        written: 'no',
      });
    }
    const grown = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2), MAX_BATCH_BYTES));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}

function badTimestamp(timestamp: number): RecordError {
  return new RecordError('ERR_TIMESTAMP', `A record cannot have the timestamp ${timestamp}`, {
    hint: 'give integer milliseconds since the epoch, 0 or more (−1 for none)',
    written: 'no',
  });
}
