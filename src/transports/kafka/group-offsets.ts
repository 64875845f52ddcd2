import { nameHash } from '../../log/name-hash.ts';
import type { CommittedOffset, GroupFacts, TopicPartition } from '../../log/transport.ts';
import { groupActive, unknownTopic } from '../local/errors.ts';
import type { Cluster } from './cluster.ts';
import { Code } from './error-codes.ts';
import { kafkaError } from './errors.ts';
import { type OffsetNote, readMetadata, withTopicId } from './offset-metadata.ts';
import { retrying } from './retry.ts';
import type { Topics } from './topics.ts';
import type { Api } from './wire/api.ts';
import { deleteGroupsApi } from './wire/delete-groups.ts';
import { listGroupsApi } from './wire/list-groups.ts';
import { offsetCommitApi } from './wire/offset-commit.ts';
import { type FetchedOffset, offsetFetchApi } from './wire/offset-fetch.ts';

const READING = 'read committed offsets';

/** The committed offsets of groups, accessed without membership. */
export class GroupOffsets {
  readonly #cluster: Cluster;
  readonly #topics: Topics;

  constructor(cluster: Cluster, topics: Topics) {
    this.#cluster = cluster;
    this.#topics = topics;
  }

  /**
   * Offsets of those partitions that have one (`null` for all partitions). With `stable`, it waits while a transaction
   * is about to change one of them.
   */
  async committed(
    groupId: string,
    partitions: readonly TopicPartition[] | null,
    stable = true,
  ): Promise<readonly CommittedOffset[]> {
    if (partitions?.length === 0) return [];
    const { requestTimeoutMs, transactionTimeoutMs } = this.#cluster.settings;
    const limitMs = stable ? Math.max(requestTimeoutMs, 3 * transactionTimeoutMs) : requestTimeoutMs;
    const query = { groupId, partitions, stable };
    const stored = await this.#ask(groupId, READING, limitMs, offsetFetchApi, query, (answer) =>
      fetched(answer, groupId),
    );
    const offsets = stored.map(({ beside: _beside, ...offset }): CommittedOffset => offset);
    return this.#ofTopicsNow(groupId, offsets);
  }

  /**
   * Topics for which the group has committed offsets, according to the offsets and the notes in the metadata of others.
   */
  async topics(groupId: string, partitions: readonly TopicPartition[]): Promise<ReadonlySet<string>> {
    if (partitions.length === 0) return new Set();
    const { requestTimeoutMs } = this.#cluster.settings;
    const query = { groupId, partitions, stable: false };
    const stored = await this.#ask(groupId, READING, requestTimeoutMs, offsetFetchApi, query, (answer) =>
      fetched(answer, groupId),
    );
    const found = new Set(stored.map(({ topic }) => topic));
    const noted = new Set(stored.flatMap(({ beside }) => beside));
    for (const { topic } of noted.size === 0 ? [] : partitions) if (noted.has(nameHash(topic))) found.add(topic);
    return found;
  }

  /**
   * Brokers forget the offsets of a deleted topic, but not those committed after the deletion. The group starts with
   * the first record of the topic that has the name now: all of its records are new.
   */
  async #ofTopicsNow(groupId: string, stored: readonly CommittedOffset[]): Promise<readonly CommittedOffset[]> {
    const named = stored.filter(({ topicId }) => topicId !== undefined).map(({ topic }) => topic);
    if (named.length === 0) return stored;
    const { logger, requestTimeoutMs: limitMs } = this.#cluster.settings;
    const options = { doing: 'find topics', limitMs, signal: this.#cluster.signal };
    const now = await retrying(this.#cluster.machine, options, () => this.#topics.lookUp([...new Set(named)]));
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
    const topics = await retrying(this.#cluster.machine, limits, () =>
      this.#topics.lookUp([...new Set(offsets.map(({ topic }) => topic))]),
    );
    // An offset without a topic id refers to the current topic.
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

  /** Deletes a group that has no members, with its offsets. @throws ConfigError `ERR_GROUP_ACTIVE` */
  async delete(groupId: string): Promise<void> {
    const { requestTimeoutMs } = this.#cluster.settings;
    await this.#ask(groupId, 'delete offsets', requestTimeoutMs, deleteGroupsApi, [groupId], (answers) => {
      for (const { errorCode } of answers) {
        if (errorCode === 0 || errorCode === Code.GROUP_ID_NOT_FOUND) continue;
        if (errorCode === Code.NON_EMPTY_GROUP) throw groupActive(groupId);
        throw kafkaError(errorCode, 'delete offsets', groupId);
      }
    });
  }

  /** All groups visible to this user. */
  async groups(): Promise<readonly string[]> {
    const { requestTimeoutMs: limitMs } = this.#cluster.settings;
    return retrying(
      this.#cluster.machine,
      { doing: 'list the groups', limitMs, signal: this.#cluster.signal },
      async () => {
        await this.#cluster.metadata([]);
        const nodes = this.#cluster.nodeIds;
        const answers = await Promise.all(
          nodes.map((node) => this.#cluster.request(node, 'main', listGroupsApi, undefined)),
        );
        return answers.flatMap(({ errorCode, groups }) => {
          if (errorCode !== 0) throw kafkaError(errorCode, 'list the groups');
          return groups.map(({ groupId }) => groupId);
        });
      },
    );
  }

  /** Whether a group has members, and its committed offsets; `undefined` if it has neither. */
  async describe(groupId: string, stable: boolean): Promise<GroupFacts | undefined> {
    const offsets = await this.committed(groupId, null, stable);
    const { requestTimeoutMs } = this.#cluster.settings;
    const active = await this.#ask(groupId, 'find the state', requestTimeoutMs, listGroupsApi, undefined, (answer) => {
      if (answer.errorCode !== 0) throw kafkaError(answer.errorCode, 'list the groups');
      const state = answer.groups.find((group) => group.groupId === groupId)?.state ?? 'Dead';
      return !WITHOUT_MEMBERS.has(state);
    });
    // The state of applications is in changelogs and on their machines.
    return offsets.length === 0 && !active ? undefined : { active, offsets, stores: [] };
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
    return retrying(this.#cluster.machine, { doing, limitMs, signal: this.#cluster.signal }, async () => {
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

/** States of groups without members. */
const WITHOUT_MEMBERS = new Set(['Empty', 'Dead']);

/** The existing offsets, with their metadata. */
function fetched(
  { errorCode: failed, offsets }: { readonly errorCode: number; readonly offsets: readonly FetchedOffset[] },
  groupId: string,
): readonly (CommittedOffset & OffsetNote)[] {
  if (failed !== 0) throw kafkaError(failed, READING, groupId);
  return offsets.flatMap(({ errorCode, leaderEpoch, metadata, offset, partition, topic }) => {
    if (errorCode !== 0) throw kafkaError(errorCode, READING, groupId, { topic, partition });
    if (offset < 0) return [];
    return { topic, partition, offset, ...(leaderEpoch < 0 ? {} : { leaderEpoch }), ...readMetadata(metadata) };
  });
}
