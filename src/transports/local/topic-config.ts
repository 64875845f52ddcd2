import { ConfigError } from '../../errors.ts';
import type { FullTopicConfig, TopicConfig } from '../../log/transport.ts';
import { checkTopicConfig } from '../../options/topic-config.ts';

export type { FullTopicConfig };

/** Kafka's defaults, apart from the compaction lag, which protects rows that an application has not read yet. */
export const DEFAULT_TOPIC_CONFIG: FullTopicConfig = Object.freeze({
  cleanup: 'delete',
  retentionMs: 7 * 24 * 60 * 60 * 1000,
  retentionBytes: -1,
  maxMessageBytes: 1024 * 1024,
  minCompactionLagMs: 24 * 60 * 60 * 1000,
});

/** The configuration that results from changing some fields of another. @throws ConfigError `ERR_TOPIC_CONFIG` */
export function changeConfig(topic: string, from: FullTopicConfig, change: TopicConfig = {}): FullTopicConfig {
  const owner = change.owner ?? from.owner;
  const claim = change.claim ?? from.claim;
  const config: FullTopicConfig = {
    cleanup: change.cleanup ?? from.cleanup,
    retentionMs: change.retentionMs ?? from.retentionMs,
    retentionBytes: change.retentionBytes ?? from.retentionBytes,
    maxMessageBytes: change.maxMessageBytes ?? from.maxMessageBytes,
    minCompactionLagMs: change.minCompactionLagMs ?? from.minCompactionLagMs,
    ...(owner === undefined ? {} : { owner }),
    ...(claim === undefined ? {} : { claim }),
  };
  checkTopicConfig(`Topic "${topic}"`, config, topic);
  return config;
}

/** The configuration of a topic that belongs to no application. */
export function withoutOwner({ claim: _claim, owner: _owner, ...config }: FullTopicConfig): FullTopicConfig {
  return config;
}

/** @throws ConfigError `ERR_TOPIC_NAME` for a name that Kafka would refuse too. */
export function checkTopicName(name: string): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return;
  throw new ConfigError('ERR_TOPIC_NAME', `"${name.slice(0, 300)}" is not a topic name`, {
    hint: 'use 1 to 249 letters, digits, dots, underscores and hyphens',
  });
}

/** Partitions that a topic can have on this machine. */
export const MAX_PARTITIONS = 100_000;

/** @throws ConfigError `ERR_PARTITION_COUNT` for an impossible count, or one that would shrink the topic. */
export function checkPartitionCount(topic: string, count: number, least = 1): void {
  if (Number.isSafeInteger(count) && count >= least && count <= MAX_PARTITIONS) return;
  throw new ConfigError('ERR_PARTITION_COUNT', `Topic "${topic}" cannot have ${count} partitions`, {
    topic,
    hint: least > 1 ? `it has ${least}, and partitions can only be added` : `use 1 to ${MAX_PARTITIONS}`,
  });
}
