import type { FullTopicConfig } from './topic-config.ts';

/** What retention needs to know about a stored batch. */
export interface StoredBatchInfo {
  readonly baseOffset: number;
  readonly nextOffset: number;
  /** The largest timestamp of its records, in ms since the epoch. */
  readonly maxTimestamp: number;
  /** When it was written, in ms since the epoch. */
  readonly appendedAt: number;
  readonly bytes: number;
}

/**
 * The offset before which records may be compacted; batches at or after it are neither touched nor count as newer. It
 * spares records that a group with committed offsets has not read, because a join would miss rows or find stale ones,
 * and records written within the minimum lag, because the next reader may not have started yet.
 *
 * @param batches - The batches of the partition, oldest first; read only as far as needed.
 * @param read - The lowest offset that a group has committed; infinity if there is none.
 * @param now - Epoch milliseconds.
 */
export function compactTo(
  batches: Iterable<StoredBatchInfo>,
  read: number,
  { minCompactionLagMs }: FullTopicConfig,
  now: number,
): number {
  let to = 0;
  for (const { appendedAt, nextOffset } of batches) {
    if (nextOffset > read || (minCompactionLagMs > 0 && appendedAt > now - minCompactionLagMs)) return to;
    to = nextOffset;
  }
  return to;
}

/** What retention needs to know about a partition. */
export interface RetainedPartition {
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
}

/**
 * The offset before which records are no longer kept. A record is kept for `retentionMs` after its own time, and at
 * least that long after it was written, so that imported history is not removed before it can be read. The newest batch
 * always stays.
 *
 * @param batches - The batches of the partition, oldest first; read only as far as needed.
 * @param now - Epoch milliseconds.
 */
export function retainFrom(
  batches: Iterable<StoredBatchInfo>,
  partition: RetainedPartition,
  config: FullTopicConfig,
  now: number,
): number {
  if (config.cleanup === 'compact') return partition.start;
  let { bytes } = partition;
  for (const batch of batches) {
    const tooOld = config.retentionMs >= 0 && Math.max(batch.maxTimestamp, batch.appendedAt) < now - config.retentionMs;
    const tooMuch = config.retentionBytes >= 0 && bytes > config.retentionBytes;
    if (batch.nextOffset >= partition.end || !(tooOld || tooMuch)) return Math.max(partition.start, batch.baseOffset);
    bytes -= batch.bytes;
  }
  return partition.start;
}
