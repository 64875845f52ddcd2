import { RecordRows } from './record-rows.ts';
import { parseSome, type RecordsInfo, RecordTable } from './record-table.ts';

/** What of many small batches is copied byte by byte: a call into the engine costs more. */
const SHORT = 128;

/**
 * Columns that the records of many small batches lie in one after the other. Columns of its own take a batch of one record
 * ten objects, which a log in memory keeps for as long as it keeps the record.
 */
export class SharedRows {
  readonly rows: RecordRows;
  readonly #bytes: Uint8Array;
  readonly #table: RecordTable;
  #count = 0;
  #end = 0;

  /** @param records - How many records there is room for, and how many bytes of them. */
  constructor(records: number, bytes: number) {
    this.#bytes = new Uint8Array(bytes);
    this.#table = new RecordTable(records);
    this.rows = new RecordRows(this.#bytes, 0, 0, this.#table);
  }

  /**
   * Adds the records that `bytes[from, to)` holds.
   *
   * @returns The index of the first of them; −1 when there is no room.
   */
  add(bytes: Uint8Array, from: number, to: number, info: RecordsInfo): number {
    const first = this.#count;
    const start = this.#end;
    const end = start + to - from;
    if (first + info.count > this.#table.timestamp.length || end > this.#bytes.length) return -1;
    if (to - from > SHORT) this.#bytes.set(bytes.subarray(from, to), start);
    else for (let at = from; at < to; at += 1) this.#bytes[start + at - from] = bytes[at] as number;
    parseSome(this.#bytes, end, info, { at: start }, this.#table, first);
    this.#count = first + info.count;
    this.#end = end;
    return first;
  }
}
