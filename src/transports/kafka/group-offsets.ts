import type { CommittedOffset, TopicPartition } from '../../runtime/transport.ts';
import { groupActive, unknownTopic } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import { retrying } from './retry.ts';
import type { Api } from './wire/api.ts';
import { offsetCommitApi } from './wire/offset-commit.ts';
import { offsetFetchApi } from './wire/offset-fetch.ts';

/** The committed offsets of groups, for those who are not members. */
export class GroupOffsets {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** Offsets of those partitions that have one; waits while a transaction is about to change one of them. */
  async committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]> {
    if (partitions.length === 0) return [];
    const { requestTimeoutMs, transactionTimeoutMs } = this.#cluster.settings;
    const limitMs = Math.max(requestTimeoutMs, 3 * transactionTimeoutMs);
    return this.#ask(groupId, 'read committed offsets', limitMs, offsetFetchApi, { groupId, partitions }, (answer) => {
      if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, 'read committed offsets', groupId);
      const found: CommittedOffset[] = [];
      for (const { topic, partition, offset, metadata, errorCode } of answer.offsets) {
        if (errorCode !== 0) throw kafkaError(errorCode, 'read committed offsets', groupId, { topic, partition });
        if (offset < 0) continue;
        found.push({ topic, partition, offset, ...(metadata === null || metadata === '' ? {} : { metadata }) });
      }
      return found;
    });
  }

  /** Sets offsets of a group that has no members. @throws ConfigError `ERR_GROUP_ACTIVE` */
  async set(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return;
    const nobody = { groupId, generation: -1, memberId: '', instanceId: null };
    const { requestTimeoutMs } = this.#cluster.settings;
    await this.#ask(groupId, 'set offsets', requestTimeoutMs, offsetCommitApi, { ...nobody, offsets }, (answers) => {
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
