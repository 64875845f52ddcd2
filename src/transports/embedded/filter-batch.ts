import { stampBaseOffset } from '../../protocol/batch-builder.ts';
import { peekBatchHeader } from '../../protocol/batch-decoder.ts';
import { sealBatch } from '../../protocol/batch-seal.ts';
import { compress, decompress } from '../../protocol/compression.ts';
import { compressionId } from '../../protocol/compression-id.ts';

const HEADER_BYTES = 61;
const MAX_RECORDS_BYTES = 1024 * 1024 * 1024;

/**
 * A record batch with only some of its records. Records keep their offsets and the batch keeps its offset range, so the
 * bytes of records are copied unchanged. The codec of the batch must be loaded.
 *
 * @param batch - A complete, valid batch.
 * @param indices - The records to keep, ascending.
 */
export function filterBatch(batch: Uint8Array, indices: readonly number[]): Uint8Array {
  const header = peekBatchHeader(batch, 0);
  if (header === undefined) throw new RangeError('filterBatch needs a whole batch');
  const packed = batch.subarray(HEADER_BYTES, header.byteLength);
  const records = header.compression === 'none' ? packed : decompress(header.compression, packed, MAX_RECORDS_BYTES);
  const kept = new Uint8Array(records.length);
  let size = 0;
  let next = 0;
  for (let at = 0, i = 0; at < records.length && next < indices.length; i++) {
    const end = recordEnd(records, at);
    if (indices[next] === i) {
      kept.set(records.subarray(at, end), size);
      size += end - at;
      next++;
    }
    at = end;
  }
  const body = compress(header.compression, kept.subarray(0, size));
  const filtered = new Uint8Array(HEADER_BYTES + body.length);
  filtered.set(body, HEADER_BYTES);
  sealBatch(filtered, {
    attributes: compressionId(header.compression),
    lastOffsetDelta: header.lastOffsetDelta,
    baseTimestamp: header.baseTimestamp,
    maxTimestamp: header.maxTimestamp,
    producerId: header.producerId,
    producerEpoch: header.producerEpoch,
    baseSequence: header.baseSequence,
    count: next,
  });
  stampBaseOffset(filtered, header.baseOffset);
  return filtered;
}

/** The end of the record that starts at `at`: it is preceded by its length as a zigzag varint. */
function recordEnd(bytes: Uint8Array, at: number): number {
  let raw = 0;
  let shift = 0;
  for (;;) {
    const byte = bytes[at++]!;
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
    shift += 7;
  }
  return at + ((raw >>> 1) ^ -(raw & 1));
}
