import { RecordBatchBuilder } from './batch-builder.ts';
import type { RecordColumns } from './columns.ts';

/** A batch of some records of another batch, in the given order. */
export function pickRecords(columns: RecordColumns, indices: Iterable<number>): RecordBatchBuilder {
  const records = new RecordBatchBuilder();
  const part = (start: number, length: number): Uint8Array | null =>
    length < 0 ? null : columns.bytes.subarray(start, start + length);
  for (const at of indices) {
    const key = part(columns.keyStart[at] as number, columns.keyLength[at] as number);
    const value = part(columns.valueStart[at] as number, columns.valueLength[at] as number);
    records.append(columns.timestamp[at] as number, key, value, columns.headers(at));
  }
  return records;
}

/** The indices of a batch with more than one record, as two halves. */
export function halvesOf(count: number): readonly [readonly number[], readonly number[]] {
  const all = Array.from({ length: count }, (_, index) => index);
  return [all.slice(0, count >>> 1), all.slice(count >>> 1)];
}
