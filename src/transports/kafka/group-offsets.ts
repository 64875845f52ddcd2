import type { CommittedOffset, TopicPartition } from '../../runtime/transport.ts';
import { groupActive, unknownTopic } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import { readMetadata, withTopicId } from './offset-metadata.ts';
import { retrying } from './retry.ts';
import type { Topics } from './topics.ts';
import type { Api } from './wire/api.ts';
import { offsetCommitApi } from './wire/offset-commit.ts';
import { offsetFetchApi } from './wire/offset-fetch.ts';

/** The committed offsets of groups, for those who are not members. */
export class GroupOffsets {
  readonly #cluster: Cluster;
  readonly #topics: Topics;

  constructor(cluster: Cluster, topics: Topics) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  /** Offsets of those partitions that have one; waits while a transaction is about to change one of them. */
  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const { requestTimeoutMs, transactionTimeoutMs } = this.#cluster.settings;
    const limitMs = Math.max(requestTimeoutMs, 3 * transactionTimeoutMs);
    const doing = 'read committed offsets';
    const stored = await this.#ask(groupId, doing, limitMs, offsetFetchApi, { groupId, partitions }, (answer) => {
      if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, doing, groupId);
      const found: CommittedOffset[] = [];
      for (const { topic, partition, offset, leaderEpoch, metadata, errorCode } of answer.offsets) {
        if (errorCode !== 0) throw kafkaError(errorCode, doing, groupId, { topic, partition });
        if (offset < 0) continue;
        found.push({
          topic,
          partition,
          offset,
          ...(leaderEpoch < 0 ? {} : { leaderEpoch }),
          ...readMetadata(metadata),
        });
      }
      return found;
    });
    return this.#ofTopicsNow(groupId, stored);
  }

  /**
   * Brokers forget what was committed for a topic that is deleted, but not what is committed after that. The group begins
   * with the first record of the topic that has the name now: all of its records are new to it.
   */
  async #ofTopicsNow(groupId: string, stored: readonly CommittedOffset[]): Promise<readonly CommittedOffset[]> {
    const named = stored.filter(({ topicId }) => topicId !== undefined).map(({ topic }) => topic);
    if (named.length === 0) return stored;
    const { logger, requestTimeoutMs: limitMs } = this.#cluster.settings;
    const options = { doing: 'find topics', limitMs, signal: this.#cluster.signal };
    const now = await retrying(options, () => this.#topics.lookUp([...new Set(named)]));
    return stored.flatMap(({ topicId, ...committed }) => {
      const { offset, partition, topic } = committed;
      const id = now.get(topic)?.id;
      if (topicId === undefined || topicId === id) return committed;
      if (id === undefined) return now.has(topic) ? committed : [];
      logger.warn(
        { groupId, topic, partition, offset },
        'the offset was committed for a topic of this name that is gone',
      );
      return { topic, partition, offset: 0, topicId };
    });
  }

  /** Sets offsets of a group that has no members. @throws ConfigError `ERR_GROUP_ACTIVE` */
  async set(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const { requestTimeoutMs } = this.#cluster.settings;
    const limits = { doing: 'find topics', limitMs: requestTimeoutMs, signal: this.#cluster.signal };
    const topics = await retrying(limits, () => this.#topics.lookUp([...new Set(offsets.map(({ topic }) => topic))]));
    // Whoever sets an offset means the topic that is there now, unless it says so.
    const placed = offsets.map((each) => withTopicId({ topicId: topics.get(each.topic)?.id, ...each }));
    const nobody = { groupId, generation: -1, memberId: '', instanceId: null };
    const query = { ...nobody, offsets: placed };
    await this.#ask(groupId, 'set offsets', requestTimeoutMs, offsetCommitApi, query, (answers) => {
      for (const { topic, partition, errorCode } of answers) {
        if (errorCode === 0) continue;
        if (errorCode === Code.UNKNOWN_MEMBER_ID) throw groupActive(groupId);
        if (errorCode === Code.UNKNOWN_TOPIC_OR_PARTITION) throw unknownTopic(topic);
        throw kafkaError(errorCode, 'set offsets', groupId, { topic, partition });
      }
    });
  }

  async #ask<Q, R, T>(
    groupId: string,
    what: string,
    limitMs: number,
    api: Api<Q, R>,
    query: Q,
    read: (answer: R) => T,
  ): Promise<T> {
    const doing = `${what} of group "${groupId}"`;
    return retrying({ doing, limitMs, signal: this.#cluster.signal }, async () => {
      try {
        const node = await this.#cluster.coordinator('group', groupId);
        return read(await this.#cluster.request(node, 'main', api, query));
      } catch (error) {
        this.#cluster.forgetCoordinator('group', groupId, error);
        throw error;
      }
    });
  }
}
