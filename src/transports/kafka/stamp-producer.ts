import * as at from '../../protocol/batch-format.ts';
import { crc32c } from '../../protocol/crc32c.ts';
import type { ProducerIdentity } from './wire/transactions.ts';

/** Sequence numbers go up to 2^31 − 1 and then restart at 0. */
export const SEQUENCES: number = 2 ** 31;

/** The sequence number after a batch. */
export const sequenceAfter = (sequence: number, count: number): number => (sequence + count) % SEQUENCES;

/** Writes the producer and the sequence of the first record into a batch, in place, and updates its checksum. */
export function stampProducer(
  batch: Uint8Array,
  { producerId, producerEpoch }: ProducerIdentity,
  sequence: number,
): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength);
  view.setBigInt64(at.PRODUCER_ID, producerId);
  view.setInt16(at.PRODUCER_EPOCH, producerEpoch);
  view.setInt32(at.BASE_SEQUENCE, sequence);
  view.setUint32(at.CRC, crc32c(batch, at.ATTRIBUTES, batch.length));
}
