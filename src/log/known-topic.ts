import type { TopicUse } from '../dataflow/node.ts';
import { ConfigError, type ErrorDetails, FatalError } from '../errors.ts';
import { nearest } from '../options/nearest.ts';
import type { TopicDescription, TopicPartition, Transport } from './transport.ts';

/** The error for a topic that is not there, with the name that may have been meant. */
export async function unknownTopic(
  transport: Transport,
  name: string,
  details: ErrorDetails = {},
): Promise<FatalError> {
  const near = nearest(name, await transport.topics.list());
  const guess = near === undefined ? '' : `did you mean ${near}? otherwise `;
  return new FatalError('ERR_UNKNOWN_TOPIC', `there is no topic ${name} at ${transport.location}`, {
    topic: name,
    hint: `${guess}create it first (client.topics.create), or say how many partitions it wants: topic('${name}', { partitions: 1, … })`,
    ...details,
  });
}

/** The error for a topic whose name belongs to another one now. */
export function topicRecreated({ topic, partition }: TopicPartition): FatalError {
  return new FatalError('ERR_TOPIC_RECREATED', `topic ${topic} was deleted, and another one has its name now`, {
    topic,
    partition,
    hint: "subscribe again to read the new topic; with { outOfRange: 'earliest' } a subscription goes on with its start",
  });
}

/** @throws ConfigError `ERR_PARTITION_COUNT` when a topic has another number of partitions than it is used with. */
export function checkPartitionCount(
  use: Pick<TopicUse, 'name' | 'partitions'>,
  { name, partitions }: TopicDescription,
): void {
  if (use.partitions === undefined || use.partitions === partitions) return;
  throw new ConfigError(
    'ERR_PARTITION_COUNT',
    `topic ${name} has ${partitions} partitions, but topic('${name}', …) wants ${use.partitions}`,
    {
      topic: name,
      hint: 'leave { partitions } out to take it as it is; keyed state cannot move between partitions',
    },
  );
}
