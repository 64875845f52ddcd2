import * as at from './batch-format.ts';
import { writeInt64 } from './batch-header.ts';
import { crc32c } from './crc32c.ts';

/** The fields of a batch header that a writer decides. */
export interface BatchSeal {
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

/** Writes the header in front of the records, with base offset 0, and the checksum over both. */
export function sealBatch(batch: Uint8Array, seal: BatchSeal): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  writeInt64(view, at.BASE_OFFSET, 0);
  view.setInt32(at.BATCH_LENGTH, batch.length - at.LENGTH_PREFIX_BYTES);
  view.setInt32(at.LEADER_EPOCH, -1);
  view.setInt8(at.MAGIC, at.MAGIC_V2);
  view.setInt16(at.ATTRIBUTES, seal.attributes);
  view.setInt32(at.LAST_OFFSET_DELTA, seal.lastOffsetDelta);
  writeInt64(view, at.BASE_TIMESTAMP, seal.baseTimestamp);
  writeInt64(view, at.MAX_TIMESTAMP, seal.maxTimestamp);
  view.setBigInt64(at.PRODUCER_ID, seal.producerId);
  view.setInt16(at.PRODUCER_EPOCH, seal.producerEpoch);
  view.setInt32(at.BASE_SEQUENCE, seal.baseSequence);
  view.setInt32(at.RECORD_COUNT, seal.count);
  view.setUint32(at.CRC, crc32c(batch, at.ATTRIBUTES, batch.length));
}
