import { ConfigError } from '../errors.ts';
import { stampBaseOffset } from './batch-builder.ts';
import type { DecodedBatch } from './batch-decoder.ts';
import * as at from './batch-format.ts';
import { sealBatch } from './batch-seal.ts';
import { compress } from './compression.ts';
import { compressionId } from './compression-id.ts';
import { maxRecordBytes, writeRecord } from './record-writer.ts';

/**
 * Re-encodes a batch with only some of its records, as compaction does: offsets, timestamps, producer, compression and
 * the offset after the batch stay the same, even if no record is left.
 *
 * @param indices - The records to keep, ascending indices of `batch`.
 * @throws ConfigError `ERR_CONTROL_BATCH` for a control batch, whose marker would be lost; FatalError
 * `ERR_CODEC_NOT_LOADED`.
 */
export function retainRecords(batch: DecodedBatch, indices: readonly number[]): Uint8Array {
  if (batch.control) throw new ConfigError('ERR_CONTROL_BATCH', 'A transaction marker cannot be compacted away');
  const baseTimestamp = batch.timestamp[indices[0] ?? 0] ?? batch.maxTimestamp;
  const field = (start: number, length: number): Uint8Array | null =>
    length < 0 ? null : batch.bytes.subarray(start, start + length);

  let records = new Uint8Array(indices.length === 0 ? 0 : 1024);
  let end = 0;
  for (const i of indices) {
    const key = field(batch.keyStart[i]!, batch.keyLength[i]!);
    const value = field(batch.valueStart[i]!, batch.valueLength[i]!);
    const headers = batch.headers(i);
    const needed = end + maxRecordBytes(key, value, headers);
    if (needed > records.length) {
      const grown = new Uint8Array(Math.max(needed, records.length * 2));
      grown.set(records.subarray(0, end));
      records = grown;
    }
    const timestampDelta = batch.timestamp[i]! - baseTimestamp;
    end = writeRecord(records, end, timestampDelta, batch.offsetDelta[i]!, key, value, headers);
  }

  const compression = indices.length === 0 ? 'none' : batch.compression;
  const body = compression === 'none' ? records.subarray(0, end) : compress(compression, records.subarray(0, end));
  const output = new Uint8Array(at.HEADER_BYTES + body.length);
  output.set(body, at.HEADER_BYTES);
  sealBatch(output, {
    attributes:
      compressionId(compression) |
      (batch.transactional ? at.TRANSACTIONAL_FLAG : 0) |
      (batch.logAppendTime ? at.LOG_APPEND_TIME_FLAG : 0),
    lastOffsetDelta: batch.lastOffsetDelta,
    baseTimestamp,
    maxTimestamp: batch.maxTimestamp,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    count: indices.length,
  });
  stampBaseOffset(output, batch.baseOffset);
  return output;
}
