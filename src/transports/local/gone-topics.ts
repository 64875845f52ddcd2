import type { CommittedOffset, TopicPartition } from '../../log/transport.ts';

/**
 * How many deleted topics are remembered with the groups that had read them, over all groups; the most recent ones are
 * kept, so that programs with temporary topics do not fill the log.
 */
export const MAX_GONE_TOPICS = 1000;

/** The remaining information about a group's offsets of a deleted topic: that there were some. */
export function offsetOfGone({ partition, topic }: TopicPartition, topicId: string | undefined): CommittedOffset[] {
  return topicId === undefined ? [] : [{ topic, partition, offset: 0, topicId }];
}
