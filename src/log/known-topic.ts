import type { TopicUse } from '../dataflow/node.ts';
import { ConfigError, type ErrorDetails, FatalError } from '../errors.ts';
import { counted } from '../options/counted.ts';
import { nearest } from '../options/nearest.ts';
import type { TopicDescription, TopicPartition, Transport } from './transport.ts';

/** The error for a missing topic, with a similar name as suggestion. */
export async function unknownTopic(
  transport: Transport,
  name: string,
  details: ErrorDetails = {},
): Promise<FatalError> {
  const near = nearest(name, await transport.topics.list());
  const guess = near === undefined ? '' : `did you mean ${near}? otherwise `;
  return new FatalError('ERR_UNKNOWN_TOPIC', `there is no topic ${name} on ${transport.location}`, {
    topic: name,
    hint: `${guess}create it first (client.topics.create), or declare how many partitions it should have: topic('${name}', { partitions: 1, … })`,
    ...details,
  });
}

/** The error for a topic whose name now belongs to a different topic. */
export function topicRecreated({ topic, partition }: TopicPartition): FatalError {
  return new FatalError('ERR_TOPIC_RECREATED', `topic ${topic} was deleted and created again`, {
    topic,
    partition,
    hint: "subscribe again to read the new topic, or set { outOfRange: 'earliest' } to continue at its start",
  });
}

/** @throws ConfigError `ERR_PARTITION_COUNT` if a topic has a different number of partitions than declared. */
export function checkPartitionCount(
  use: Pick<TopicUse, 'name' | 'partitions'>,
  { name, partitions }: TopicDescription,
): void {
  if (use.partitions === undefined || use.partitions === partitions) return;
  throw new ConfigError(
    'ERR_PARTITION_COUNT',
    `topic ${name} has ${counted(partitions, 'partition')}, but topic('${name}', …) wants ${use.partitions}`,
    {
      topic: name,
      hint: 'leave out { partitions } to use the topic as it is; keyed state cannot move between partitions',
    },
  );
}
