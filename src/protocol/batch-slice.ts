import { Malformed } from './corrupt.ts';
import { RecordRows } from './record-rows.ts';
import { checkCount, parseSome } from './record-table.ts';
import type { UnpackedBatch } from './unpack-batch.ts';
import { VarintReader } from './varint.ts';

/** Memory of a record besides its bytes: its row in the columns. */
const ROW_BYTES = 32;

const reader = new VarintReader();

/** Approximate memory of all decoded records of a batch, besides the bytes of the batch itself. */
export function decodedBytes({ header, from, to }: UnpackedBatch): number {
  return (header.compression === 'none' ? 0 : to - from) + header.count * ROW_BYTES;
}

/** The position of some records, found without decoding them. */
export interface SliceRange {
  readonly start: number;
  readonly end: number;
  readonly count: number;
  /** Whether they include the last record of the batch. */
  readonly last: boolean;
  readonly bytes: number;
}

/**
 * Finds the records from an offset on that take at most `maxBytes` when decoded; at least one, if there is one. Damage
 * is reported by {@link decodeSlice}.
 */
export function findSlice(
  { bytes, from, to, header, guard }: UnpackedBatch,
  offset: number,
  maxBytes: number,
): SliceRange {
  guard(() => checkCount(from, to, header.count));
  const firstDelta = offset - header.baseOffset;
  const own = header.compression === 'none' ? 0 : 1;
  let start = -1;
  let count = 0;
  let at = from;
  let cost = 0;
  for (let index = 0; index < header.count; index++) {
    reader.position = at;
    const length = reader.readInt(bytes);
    const end = reader.position + length;
    if (length < 0 || end > to)
      return { start: start === -1 ? at : start, end: to, count: count + 1, last: false, bytes: cost };
    if (start === -1) {
      reader.position += 1; // attributes
      reader.readLong(bytes);
      if (reader.readInt(bytes) < firstDelta) {
        at = end;
        continue;
      }
      start = at;
    }
    const more = own * (end - at) + ROW_BYTES;
    if (count > 0 && cost + more > maxBytes) return { start, end: at, count, last: false, bytes: cost };
    cost += more;
    count += 1;
    at = end;
  }
  return { start: start === -1 ? at : start, end: at, count, last: true, bytes: cost };
}

/**
 * Decodes the records that {@link findSlice} has found; of the batch they keep only their own bytes. @throws as
 * `decodeBatch`
 */
export function decodeSlice({ bytes, to, header, guard }: UnpackedBatch, range: SliceRange): RecordRows {
  const { start, end, count, last } = range;
  const copied = header.compression !== 'none';
  const own = copied ? bytes.slice(start, end) : bytes;
  const cursor = { at: copied ? 0 : start };
  const stop = copied ? end - start : end;
  const table = guard(() => parseSome(own, stop, { ...header, count }, cursor));
  if (last && end !== to) {
    guard(() => {
      throw new Malformed(`${to - end} bytes are left over after its ${header.count} records`);
    });
  }
  if (header.logAppendTime) table.timestamp.fill(header.maxTimestamp);
  const delivered = table.offsetDelta[count - 1];
  const nextOffset = last || delivered === undefined ? header.nextOffset : header.baseOffset + delivered + 1;
  return new RecordRows(own, header.baseOffset, nextOffset, table);
}
