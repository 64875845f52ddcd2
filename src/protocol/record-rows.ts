import type { Headers } from '../record.ts';
import type { RecordColumns } from './columns.ts';
import { nextWithHeader } from './header-search.ts';
import { decodeHeaders, type RecordTable } from './record-table.ts';

/** Columns over parsed records. All columns of the process have this one hidden class or that of a decoded batch. */
export class RecordRows implements RecordColumns {
  readonly count: number;
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Uint8Array;
  readonly offsetDelta: Int32Array;
  readonly timestamp: Float64Array;
  readonly keyStart: Int32Array;
  readonly keyLength: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueLength: Int32Array;
  readonly #table: RecordTable;

  constructor(bytes: Uint8Array, baseOffset: number, nextOffset: number, table: RecordTable) {
    this.count = table.timestamp.length;
    this.baseOffset = baseOffset;
    this.nextOffset = nextOffset;
    this.bytes = bytes;
    this.offsetDelta = table.offsetDelta;
    this.timestamp = table.timestamp;
    this.keyStart = table.keyStart;
    this.keyLength = table.keyLength;
    this.valueStart = table.valueStart;
    this.valueLength = table.valueLength;
    this.#table = table;
  }

  get mayHaveHeaders(): boolean {
    return this.#table.hasHeaders;
  }

  nextWithHeader(name: Uint8Array, from: number): number {
    return nextWithHeader(this.bytes, this.#table.headersStart, name, from);
  }

  headers(i: number): Headers {
    return decodeHeaders(this.bytes, this.#table.headersStart[i] ?? -1);
  }
}
