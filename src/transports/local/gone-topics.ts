import type { CommittedOffset, TopicPartition } from '../../log/transport.ts';

/**
 * How many topics that were deleted are remembered with the groups that had read them, over all groups: those that went
 * last. Programs that make topics for a while only are not to fill the log with them.
 */
export const MAX_GONE_TOPICS = 1000;

/** What is left of the offsets of a group when their topic is gone: that there were some. */
export function offsetOfGone({ partition, topic }: TopicPartition, topicId: string | undefined): CommittedOffset[] {
  return topicId === undefined ? [] : [{ topic, partition, offset: 0, topicId }];
}
