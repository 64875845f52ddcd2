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

/** How long a compacted topic keeps tombstones, so that readers that lag behind hear of the deletion: a day, as Kafka. */
export const TOMBSTONE_MS: number = 24 * 60 * 60 * 1000;

/**
 * The offset before which records are no longer to be kept. A record is kept for `retentionMs` after its own time and at
 * least as long after it was written, so that history that is imported is not removed before it can be read. The newest
 * batch always stays.
 *
 * @param batches - All batches of a partition, oldest first.
 * @param now - Epoch milliseconds.
 */
export function retainFrom(batches: readonly StoredBatchInfo[], config: FullTopicConfig, now: number): number {
  const first = batches[0];
  if (first === undefined || config.cleanup === 'compact') return first?.baseOffset ?? 0;
  let bytes = 0;
  for (const batch of batches) bytes += batch.bytes;
  for (let i = 0; i < batches.length; i++) {
    const batch = batches[i]!;
    const tooOld =
      config.retentionMs >= 0 && Math.max(batch.maxTimestamp, batch.appendedAt) < now - config.retentionMs;
    const tooMuch = config.retentionBytes >= 0 && bytes > config.retentionBytes;
    if (i === batches.length - 1 || !(tooOld || tooMuch)) return batch.baseOffset;
    bytes -= batch.bytes;
  }
  return first.baseOffset;
}
