import type { FullTopicConfig } from './topic-config.ts';

/** What retention needs to know of a stored batch. */
export interface StoredBatchInfo {
  readonly baseOffset: number;
  readonly nextOffset: number;
  /** The largest record timestamp in it, epoch milliseconds. */
  readonly maxTimestamp: number;
  /** When it was written, epoch milliseconds. */
  readonly appendedAt: number;
  readonly bytes: number;
}

/**
 * The offset before which records may be compacted, and beyond which nothing counts as newer: no batch at or behind it is
 * touched. It spares what a group with committed offsets has not read, because a join would miss rows or find stale ones,
 * and what was written within the minimum lag, because the next reader may not have begun yet.
 *
 * @param batches - The batches of the partition, oldest first; read only as far as needed.
 * @param read - The lowest offset that a group has committed; infinity when none has.
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

/** What retention needs to know of a partition. */
export interface RetainedPartition {
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
}

/**
 * The offset before which records are no longer to be kept. A record is kept for `retentionMs` after its own time and at
 * least as long after it was written, so that history that is imported is not removed before it can be read. The newest
 * batch always stays.
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
