import { RecordRows } from './record-rows.ts';
import { parseSome, type RecordsInfo, RecordTable } from './record-table.ts';

/** Below this size bytes are copied in a loop: a call into the engine costs more. */
const SHORT = 128;

/**
 * Columns shared by the records of many small batches. Separate columns for a batch of one record would take ten
 * objects, which a log in memory keeps as long as the record.
 */
export class SharedRows {
  readonly rows: RecordRows;
  readonly #bytes: Uint8Array;
  readonly #table: RecordTable;
  #count = 0;
  #end = 0;

  /** @param records - Capacity in records; `bytes` is the capacity in bytes. */
  constructor(records: number, bytes: number) {
    this.#bytes = new Uint8Array(bytes);
    this.#table = new RecordTable(records);
    this.rows = new RecordRows(this.#bytes, 0, 0, this.#table);
  }

  /**
   * Adds the records in `bytes[from, to)`.
   *
   * @returns The index of the first one; −1 if there is no room.
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
