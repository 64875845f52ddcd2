import type { FetchedBatch } from '../../log/transport.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import type { Headers } from '../../record.ts';

const NO_INTS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);

/** Records as a fetcher delivers them: columns with their offsets in the log, without those below the position. */
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

  /** @param end - Index behind the last record; that of the source unless given. */
  constructor(
    source: RecordColumns,
    baseOffset: number,
    nextOffset: number,
    endOffset: number,
    skip: number,
    end: number = source.count,
  ) {
    const whole = skip === 0 && end === source.count;
    this.count = end - skip;
    this.baseOffset = baseOffset;
    this.nextOffset = nextOffset;
    this.endOffset = endOffset;
    this.bytes = source.bytes;
    this.offsetDelta = whole ? source.offsetDelta : source.offsetDelta.subarray(skip, end);
    this.timestamp = whole ? source.timestamp : source.timestamp.subarray(skip, end);
    this.keyStart = whole ? source.keyStart : source.keyStart.subarray(skip, end);
    this.keyLength = whole ? source.keyLength : source.keyLength.subarray(skip, end);
    this.valueStart = whole ? source.valueStart : source.valueStart.subarray(skip, end);
    this.valueLength = whole ? source.valueLength : source.valueLength.subarray(skip, end);
    this.#source = source;
    this.#skip = skip;
  }

  get mayHaveHeaders(): boolean {
    return this.#source.mayHaveHeaders !== false;
  }

  nextWithHeader(name: Uint8Array, from: number): number {
    const found = this.#source.nextWithHeader?.(name, from + this.#skip);
    return found === undefined ? from : Math.min(found - this.#skip, this.count);
  }

  headers(i: number): Headers {
    return this.#source.headers(i + this.#skip);
  }
}

/**
 * Index of the first record of a batch that is not below an offset.
 *
 * @param first - Index of the first record.
 * @param end - Index behind the last one.
 */
export function recordsBelow(
  offsetDelta: Int32Array,
  baseOffset: number,
  offset: number,
  first = 0,
  end: number = offsetDelta.length,
): number {
  const delta = offset - baseOffset;
  if (delta <= 0) return first;
  let low = first;
  let high = end;
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

/** A batch without records: progress over offsets that are empty. */
export function emptyFetch(offset: number, nextOffset: number, endOffset: number): FetchedBatch {
  return new FetchedRows(NOTHING, offset, nextOffset, endOffset, 0);
}
