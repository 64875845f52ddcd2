import { ConfigError, RecordError } from '../errors.ts';
import type { Headers } from '../record.ts';
import * as at from './batch-format.ts';
import { writeInt64 } from './batch-header.ts';
import type { RecordColumns } from './columns.ts';
import { type Compression, compress } from './compression.ts';
import { compressionId } from './compression-id.ts';
import { crc32c } from './crc32c.ts';
import { RecordRows } from './record-rows.ts';
import { parseRecords } from './record-table.ts';
import { maxUtf8Bytes, writeUtf8 } from './utf8.ts';
import { varintSize, writeVarint, writeVarlong } from './varint.ts';

export { stampBaseOffset } from './batch-header.ts';

/** How a batch is written. */
export interface FinishOptions {
  /** `none` unless given; the codec of any other must have been loaded with `ensureCodec`. */
  readonly compression?: Compression;
  /** −1n unless given: not idempotent. */
  readonly producerId?: bigint;
  /** −1 unless given, as is `baseSequence`. */
  readonly producerEpoch?: number;
  readonly baseSequence?: number;
  readonly transactional?: boolean;
}

/** Length, attributes, two deltas and three more lengths, each as large as it can get. */
const MAX_RECORD_OVERHEAD = 5 + 1 + 10 + 5 + 5 + 5 + 5;
/** Positions are 32-bit integers in the columns of readers. */
const MAX_BATCH_BYTES = 2 ** 31 - 1;

/**
 * Encodes records into one Kafka record batch (format v2) while they are appended, into one buffer that grows. The first
 * record has offset 0; a log stamps the real base offset later (`stampBaseOffset`).
 */
export class RecordBatchBuilder {
  #bytes: Uint8Array;
  #end: number = at.HEADER_BYTES;
  #count = 0;
  #baseTimestamp = -1;
  #maxTimestamp = -1;

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
    const most = MAX_RECORD_OVERHEAD + mostBytes(key) + mostBytes(value) + (headers.length === 0 ? 0 : mostOf(headers));
    const start = this.#end;
    if (start + most > this.#bytes.length) this.#grow(start + most);
    const bytes = this.#bytes;
    const base = this.#count === 0 ? timestamp : this.#baseTimestamp;

    // The length comes first but is known last: room for its likely size (all text ASCII) is left, and corrected if wrong.
    const likely = 8 + (key === null ? 0 : key.length) + (value === null ? 0 : value.length);
    const room = varintSize(headers.length === 0 ? likely : likely + 12 * headers.length);
    const body = start + room;
    let p = body;
    bytes[p++] = 0; // attributes: unused in this format
    p = writeVarlong(bytes, p, timestamp - base);
    p = writeVarint(bytes, p, this.#count);
    p = writeField(bytes, p, key);
    p = writeField(bytes, p, value);
    p = headers.length === 0 ? writeVarint(bytes, p, 0) : writeHeaders(bytes, p, headers);
    const length = p - body;
    const needed = varintSize(length);
    if (needed !== room) {
      bytes.copyWithin(start + needed, body, p);
      p += needed - room;
    }
    writeVarint(bytes, start, length);

    this.#end = p;
    this.#baseTimestamp = base;
    this.#count++;
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp;
  }

  /**
   * The whole batch with base offset 0 and its checksum. The bytes are independent of the builder, which stays as it is.
   *
   * @throws ConfigError `ERR_EMPTY_BATCH` without records; FatalError `ERR_CODEC_NOT_LOADED`.
   */
  finish(options: FinishOptions = {}): Uint8Array {
    if (this.#count === 0) {
      throw new ConfigError('ERR_EMPTY_BATCH', 'A record batch needs at least one record');
    }
    const compression = options.compression ?? 'none';
    let batch: Uint8Array;
    if (compression === 'none') {
      batch = this.#bytes.slice(0, this.#end);
    } else {
      const records = compress(compression, this.#bytes.subarray(at.HEADER_BYTES, this.#end));
      batch = new Uint8Array(at.HEADER_BYTES + records.length);
      batch.set(records, at.HEADER_BYTES);
    }
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
    const count = this.#count;
    const info = { count, baseTimestamp: this.#baseTimestamp, lastOffsetDelta: count - 1 };
    return new RecordRows(bytes, baseOffset, baseOffset + count, parseRecords(bytes, 0, bytes.length, info));
  }

  /** Forgets all records and keeps the memory. */
  reset(): void {
    this.#end = at.HEADER_BYTES;
    this.#count = 0;
    this.#baseTimestamp = -1;
    this.#maxTimestamp = -1;
  }

  #grow(needed: number): void {
    if (needed > MAX_BATCH_BYTES) {
      throw new RecordError('ERR_RECORD_TOO_LARGE', `Record batch would need ${needed} bytes, and 2 GiB is the limit`, {
        written: 'no',
      });
    }
    const grown = new Uint8Array(Math.min(Math.max(needed, this.#bytes.length * 2), MAX_BATCH_BYTES));
    grown.set(this.#bytes.subarray(0, this.#end));
    this.#bytes = grown;
  }
}

/** The fields of a batch header that a writer decides. */
export interface BatchSeal {
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

/** Writes the header in front of the records, with base offset 0, and the checksum over both. */
export function sealBatch(batch: Uint8Array, seal: BatchSeal): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  writeInt64(view, at.BASE_OFFSET, 0);
  view.setInt32(at.BATCH_LENGTH, batch.length - at.LENGTH_PREFIX_BYTES);
  view.setInt32(at.LEADER_EPOCH, -1);
  view.setInt8(at.MAGIC, at.MAGIC_V2);
  view.setInt16(at.ATTRIBUTES, seal.attributes);
  view.setInt32(at.LAST_OFFSET_DELTA, seal.lastOffsetDelta);
  writeInt64(view, at.BASE_TIMESTAMP, seal.baseTimestamp);
  writeInt64(view, at.MAX_TIMESTAMP, seal.maxTimestamp);
  view.setBigInt64(at.PRODUCER_ID, seal.producerId);
  view.setInt16(at.PRODUCER_EPOCH, seal.producerEpoch);
  view.setInt32(at.BASE_SEQUENCE, seal.baseSequence);
  view.setInt32(at.RECORD_COUNT, seal.count);
  view.setUint32(at.CRC, crc32c(batch, at.ATTRIBUTES, batch.length));
}

function mostBytes(field: Uint8Array | string | null): number {
  if (field === null) return 0;
  return typeof field === 'string' ? maxUtf8Bytes(field) : field.length;
}

function mostOf(headers: Headers): number {
  let most = 0;
  for (const [name, value] of headers) most += 10 + maxUtf8Bytes(name) + (value === null ? 0 : value.length);
  return most;
}

function writeField(bytes: Uint8Array, position: number, field: Uint8Array | string | null): number {
  if (field === null) return writeVarint(bytes, position, -1);
  if (typeof field === 'string') return writeText(bytes, position, field);
  const start = writeVarint(bytes, position, field.length);
  copyBytes(bytes, start, field);
  return start + field.length;
}

/** Writes length and text. The length is guessed as for ASCII, and moved when that was too small. */
function writeText(bytes: Uint8Array, position: number, text: string): number {
  const room = varintSize(text.length);
  const start = position + room;
  let end = writeUtf8(bytes, start, text);
  const length = end - start;
  const needed = varintSize(length);
  if (needed !== room) {
    bytes.copyWithin(position + needed, start, end);
    end += needed - room;
  }
  writeVarint(bytes, position, length);
  return end;
}

function writeHeaders(bytes: Uint8Array, position: number, headers: Headers): number {
  let p = writeVarint(bytes, position, headers.length);
  for (const [name, value] of headers) {
    p = writeText(bytes, p, name);
    p = writeField(bytes, p, value);
  }
  return p;
}

/** A short copy is faster in a loop than through `set`. */
function copyBytes(target: Uint8Array, start: number, source: Uint8Array): void {
  const length = source.length;
  if (length > 32) {
    target.set(source, start);
    return;
  }
  for (let i = 0; i < length; i++) target[start + i] = source[i]!;
}

function badTimestamp(timestamp: number): RecordError {
  return new RecordError('ERR_TIMESTAMP', `A record cannot have the timestamp ${timestamp}`, {
    hint: 'give integer milliseconds since the epoch, from 0 on (−1 for none)',
    written: 'no',
  });
}
