import type { FetchedBatch } from '../../log/transport.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import type { Headers } from '../../record.ts';

const NO_INTS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);

/** Records as a fetcher delivers them: columns at their place in the log, without those below the position. */
export class FetchedRows implements FetchedBatch {
  readonly count: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly endOffset: number;
  readonly bytes: Uint8Array;
  readonly offsetDelta: Int32Array;
  readonly timestamp: Float64Array;
  readonly keyStart: Int32Array;
  readonly keyLength: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueLength: Int32Array;
  readonly #source: RecordColumns;
  readonly #skip: number;

  constructor(source: RecordColumns, baseOffset: number, nextOffset: number, endOffset: number, skip: number) {
    this.count = source.count - skip;
    this.baseOffset = baseOffset;
    this.nextOffset = nextOffset;
    this.endOffset = endOffset;
    this.bytes = source.bytes;
    this.offsetDelta = skip === 0 ? source.offsetDelta : source.offsetDelta.subarray(skip);
    this.timestamp = skip === 0 ? source.timestamp : source.timestamp.subarray(skip);
    this.keyStart = skip === 0 ? source.keyStart : source.keyStart.subarray(skip);
    this.keyLength = skip === 0 ? source.keyLength : source.keyLength.subarray(skip);
    this.valueStart = skip === 0 ? source.valueStart : source.valueStart.subarray(skip);
    this.valueLength = skip === 0 ? source.valueLength : source.valueLength.subarray(skip);
    this.#source = source;
    this.#skip = skip;
  }

  headers(i: number): Headers {
    return this.#source.headers(i + this.#skip);
  }
}

/** How many records of a batch lie below an offset. */
export function recordsBelow(offsetDelta: Int32Array, baseOffset: number, offset: number): number {
  const delta = offset - baseOffset;
  if (delta <= 0) return 0;
  let low = 0;
  let high = offsetDelta.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsetDelta[middle]! < delta) low = middle + 1;
    else high = middle;
  }
  return low;
}

const NOTHING: RecordColumns = {
  count: 0,
  baseOffset: 0,
  nextOffset: 0,
  bytes: NO_BYTES,
  offsetDelta: NO_INTS,
  timestamp: new Float64Array(0),
  keyStart: NO_INTS,
  keyLength: NO_INTS,
  valueStart: NO_INTS,
  valueLength: NO_INTS,
  headers: () => [],
};

/** A batch without records: progress over offsets that hold nothing any more. */
export function emptyFetch(offset: number, nextOffset: number, endOffset: number): FetchedBatch {
  return new FetchedRows(NOTHING, offset, nextOffset, endOffset, 0);
}
