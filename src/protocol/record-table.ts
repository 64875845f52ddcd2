import { type Header, type Headers, NO_HEADERS } from '../record.ts';
import { MIN_RECORD_BYTES } from './batch-format.ts';
import { Malformed } from './corrupt.ts';
import { MAX_HEADERS, tooManyHeaders } from './header-limit.ts';
import { exactVarlong, VarintReader } from './varint.ts';

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const reader = new VarintReader();

/** The records of one batch as columns, filled by {@link parseRecords}. `headersStart` is −1 without headers. */
export class RecordTable {
  readonly timestamp: Float64Array;
  readonly offsetDelta: Int32Array;
  readonly keyStart: Int32Array;
  readonly keyLength: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueLength: Int32Array;
  readonly headersStart: Int32Array;
  /** Whether any record that was parsed into it had headers. */
  hasHeaders = false;

  constructor(count: number) {
    // One allocation for all columns; the eight-byte column first, so that each is aligned.
    const memory = new ArrayBuffer(count * 32);
    const ints = (index: number): Int32Array => new Int32Array(memory, count * (8 + index * 4), count);
    this.timestamp = new Float64Array(memory, 0, count);
    this.offsetDelta = ints(0);
    this.keyStart = ints(1);
    this.keyLength = ints(2);
    this.valueStart = ints(3);
    this.valueLength = ints(4);
    this.headersStart = ints(5);
  }
}

/** What a batch header says about its records. */
export interface RecordsInfo {
  readonly count: number;
  readonly baseTimestamp: number;
  /** Present if `baseTimestamp` had to be rounded, because it is beyond 2^53 − 1. */
  readonly exactBaseTimestamp?: bigint | undefined;
  readonly lastOffsetDelta: number;
}

/**
 * Parses `info.count` records that fill `bytes[start, end)` exactly. Positions in the columns are positions in `bytes`.
 * Headers are checked but not decoded. A timestamp may be beyond ±(2^53 − 1): one such record does not make the batch
 * damaged.
 *
 * @throws Malformed with the index of the invalid record.
 */
export function parseRecords(bytes: Uint8Array, start: number, end: number, info: RecordsInfo): RecordTable {
  checkCount(start, end, info.count);
  const cursor = { at: start };
  const table = parseSome(bytes, end, info, cursor);
  if (cursor.at !== end) throw new Malformed(`${end - cursor.at} bytes are left over after its ${info.count} records`);
  return table;
}

/** Refuses a record count for which there are too few bytes, before anything is allocated. */
export function checkCount(start: number, end: number, count: number): void {
  if (count * MIN_RECORD_BYTES > end - start) {
    throw new Malformed(`it claims ${count} records, which cannot fit in ${end - start} bytes`);
  }
}

/**
 * Parses `info.count` records that start at `cursor.at`, and moves it past them.
 *
 * @param table - Where they are stored, from row `first` on (default: a new table).
 */
export function parseSome(
  bytes: Uint8Array,
  end: number,
  info: RecordsInfo,
  cursor: { at: number },
  table: RecordTable = new RecordTable(info.count),
  first = 0,
): RecordTable {
  const { count, baseTimestamp, lastOffsetDelta } = info;
  const inexact = !Number.isSafeInteger(baseTimestamp);
  const { timestamp, offsetDelta, keyStart, keyLength, valueStart, valueLength, headersStart } = table;
  reader.failed = false;
  let lastDelta = -1;
  let { at } = cursor;
  // A one-byte varint is read in place, a longer one by the reader. Reads past the end yield undefined, which counts as
  // zero bits; the comparisons with `recordEnd` and `end` refuse the record afterwards.
  for (let i = 0; i < count; i++) {
    const row = first + i;
    let raw = bytes[at]!;
    let length: number;
    if (raw < 0x80) {
      length = (raw >>> 1) ^ -(raw & 1);
      at++;
    } else {
      reader.position = at;
      length = reader.readInt(bytes);
      at = reader.position;
    }
    const recordEnd = at + length;
    if (length < MIN_RECORD_BYTES - 1 || recordEnd > end) throw wrong(i, 'has a length that does not fit');
    at++; // attributes: unused in this format

    const timeAt = at;
    raw = bytes[at]!;
    let time: number;
    if (raw < 0x80) {
      time = baseTimestamp + ((raw >>> 1) ^ -(raw & 1));
      at++;
    } else {
      reader.position = at;
      time = baseTimestamp + reader.readLong(bytes);
      at = reader.position;
    }
    if (inexact || !(time <= Number.MAX_SAFE_INTEGER && time >= Number.MIN_SAFE_INTEGER)) {
      time = exactTime(info, bytes, timeAt);
    }
    timestamp[row] = time;

    raw = bytes[at]!;
    let delta: number;
    if (raw < 0x80) {
      delta = (raw >>> 1) ^ -(raw & 1);
      at++;
    } else {
      reader.position = at;
      delta = reader.readInt(bytes);
      at = reader.position;
    }
    if (delta <= lastDelta || delta > lastOffsetDelta) throw wrong(i, `has offset delta ${delta} out of order`);
    lastDelta = delta;
    offsetDelta[row] = delta;

    raw = bytes[at]!;
    let size: number;
    if (raw < 0x80) {
      size = (raw >>> 1) ^ -(raw & 1);
      at++;
    } else {
      reader.position = at;
      size = reader.readInt(bytes);
      at = reader.position;
    }
    if (size < -1 || size > recordEnd - at) throw wrong(i, 'has a key that does not fit');
    keyStart[row] = at;
    keyLength[row] = size;
    if (size > 0) at += size;

    raw = bytes[at]!;
    if (raw < 0x80) {
      size = (raw >>> 1) ^ -(raw & 1);
      at++;
    } else {
      reader.position = at;
      size = reader.readInt(bytes);
      at = reader.position;
    }
    if (size < -1 || size > recordEnd - at) throw wrong(i, 'has a value that does not fit');
    valueStart[row] = at;
    valueLength[row] = size;
    if (size > 0) at += size;

    if (bytes[at] === 0) {
      headersStart[row] = -1;
      at++;
    } else {
      headersStart[row] = at;
      table.hasHeaders = true;
      at = skipHeaders(bytes, at, recordEnd);
    }
    if (at !== recordEnd) throw wrong(i, 'does not end where its length says');
  }
  if (reader.failed) throw new Malformed('a variable-length integer has too many bytes');
  cursor.at = at;
  return table;
}

/**
 * A timestamp beyond 53 bits, or relative to one: exact if the result is in range after all, otherwise rounded, for the
 * user of the record to refuse.
 */
function exactTime(info: RecordsInfo, bytes: Uint8Array, position: number): number {
  const base = info.exactBaseTimestamp ?? BigInt(info.baseTimestamp);
  return Number(BigInt.asIntN(64, base + exactVarlong(bytes, position)));
}

function wrong(index: number, what: string): Malformed {
  return new Malformed(`record ${index} ${what}`);
}

/** The position after valid headers, or −1. */
function skipHeaders(bytes: Uint8Array, start: number, end: number): number {
  reader.position = start;
  const count = reader.readInt(bytes);
  if (count < 0 || count * 2 > end - reader.position) return -1;
  // They are never delivered: see decodeHeaders.
  if (count > MAX_HEADERS) return end;
  for (let i = 0; i < count; i++) {
    const nameLength = reader.readInt(bytes);
    if (nameLength < 0 || nameLength > end - reader.position) return -1;
    reader.position += nameLength;
    const valueLength = reader.readInt(bytes);
    if (valueLength < -1 || valueLength > end - reader.position) return -1;
    if (valueLength > 0) reader.position += valueLength;
  }
  return reader.position;
}

/**
 * Decodes headers that {@link parseRecords} has checked. Values are copies.
 *
 * @throws RecordError `ERR_HEADERS` for a record with more than {@link MAX_HEADERS}.
 */
export function decodeHeaders(bytes: Uint8Array, start: number): Headers {
  if (start < 0) return NO_HEADERS;
  reader.position = start;
  const count = reader.readInt(bytes);
  if (count > MAX_HEADERS) throw tooManyHeaders(count);
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) {
    const nameLength = reader.readInt(bytes);
    const nameStart = reader.position;
    const name = decoder.decode(bytes.subarray(nameStart, nameStart + nameLength));
    reader.position = nameStart + nameLength;
    const valueLength = reader.readInt(bytes);
    const valueStart = reader.position;
    if (valueLength > 0) reader.position += valueLength;
    headers.push([name, valueLength < 0 ? null : bytes.slice(valueStart, valueStart + valueLength)]);
  }
  return headers.length === 0 ? NO_HEADERS : headers;
}

/**
 * A plain Uint8Array view of the same bytes. Buffers have a different hidden class, and mixing both slows the hot loops
 * down.
 */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
