import { ConfigError, type ErrorDetails, FatalError, MillraceError, RecordError, StoreError } from '../../errors.ts';
import type { TopicPartition } from '../../log/transport.ts';
import { counted, partitionsToUse } from '../../options/counted.ts';

/** Errors of a write say that nothing was written; for reads this is left out. */
const NOT_WRITTEN: ErrorDetails = { written: 'no' };

export function unknownTopic(topic: string, written: ErrorDetails = {}): FatalError {
  return new FatalError('ERR_UNKNOWN_TOPIC', `There is no topic "${topic}"`, {
    topic,
    hint: 'if it existed before, it has been deleted; otherwise create it first (client.topics.create), or check the spelling',
    ...written,
  });
}

export function unknownPartition(
  { topic, partition }: TopicPartition,
  partitions: number,
  written: ErrorDetails = {},
): ConfigError {
  return new ConfigError(
    'ERR_UNKNOWN_PARTITION',
    `Topic "${topic}" has ${counted(partitions, 'partition')}, no ${partition}`,
    {
      topic,
      partition,
      hint: `${partitionsToUse(partitions)}, or add partitions`,
      ...written,
    },
  );
}

export function topicRecreated({ topic, partition }: TopicPartition): FatalError {
  return new FatalError('ERR_TOPIC_RECREATED', `Topic "${topic}" was deleted and created again`, {
    topic,
    partition,
    hint: 'offsets of the old topic are meaningless in the new one: read it from its start',
  });
}

export function topicExists(topic: string): ConfigError {
  return new ConfigError('ERR_TOPIC_EXISTS', `Topic "${topic}" already exists`, {
    topic,
    hint: 'pass ifMissing to accept that, or delete it first',
  });
}

/** @param limit - The limit of the topic, if known. */
export function recordTooLarge({ topic, partition }: TopicPartition, bytes: number, limit?: number): RecordError {
  const most = limit === undefined ? 'limit of the topic' : `limit of ${limit}`;
  return new RecordError('ERR_RECORD_TOO_LARGE', `A record batch of ${bytes} bytes exceeds the ${most}`, {
    topic,
    partition,
    hint: 'send smaller batches or records, compress, or raise maxMessageBytes of the topic',
    ...NOT_WRITTEN,
  });
}

export function outOfRange(
  { topic, partition }: TopicPartition,
  offset: number,
  start: number,
  end: number,
): MillraceError {
  const lost = offset < start;
  return new FatalError(
    'ERR_OFFSET_OUT_OF_RANGE',
    lost
      ? `Offsets ${offset} to ${start - 1} have been removed; the partition starts at ${start}`
      : `Offset ${offset} is past the end of the partition, ${end}`,
    {
      topic,
      partition,
      offset,
      ...(lost ? { lastOffset: start - 1 } : {}),
      hint: lost
        ? 'continue from "earliest" to accept the gap; to avoid it, keep records longer'
        : 'continue from "latest"; the topic may have been deleted and created again',
    },
  );
}

export function staleGeneration(groupId: string, given: number, why: string): MillraceError {
  return new MillraceError('migrated', 'ERR_STALE_GENERATION', `Group "${groupId}": generation ${given} ${why}`, {
    hint: 'the work belongs to another member now; drop it and continue from the committed offsets',
    ...NOT_WRITTEN,
  });
}

export function groupActive(groupId: string, owner = ''): MillraceError {
  return new ConfigError('ERR_GROUP_ACTIVE', `Group "${groupId}" has members${owner}, so its offsets cannot be set`, {
    hint: 'stop the application first',
    ...NOT_WRITTEN,
  });
}

export function applicationRunning(groupId: string, where: string, hint: string): StoreError {
  return new StoreError('ERR_APPLICATION_RUNNING', `Application "${groupId}" is already running ${where}`, { hint });
}

export function closed(what: string): ConfigError {
  return new ConfigError('ERR_CLOSED', `The ${what} is closed`, { hint: 'open a new one', ...NOT_WRITTEN });
}
