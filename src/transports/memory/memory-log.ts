import { systemClock } from '../../dataflow/clock.ts';
import type {
  CommittedOffset,
  FetchedBatch,
  GroupFacts,
  KnownTopic,
  OffsetQuery,
  TopicConfig,
  TopicDescription,
  TopicPartition,
} from '../../log/transport.ts';
import type { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import type { Compression } from '../../protocol/compression.ts';
import type { StoreBackend } from '../../state/byte-store.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { ByPartition } from '../local/by-partition.ts';
import {
  groupActive,
  outOfRange,
  recordTooLarge,
  topicExists,
  topicRecreated,
  unknownPartition,
  unknownTopic,
} from '../local/errors.ts';
import { MAX_GONE_TOPICS, offsetOfGone } from '../local/gone-topics.ts';
import { LocalGroups } from '../local/groups.ts';
import type { LogCommit } from '../local/session.ts';
import { storeNames } from '../local/store-names.ts';
import {
  changeConfig,
  checkPartitionCount,
  checkTopicName,
  DEFAULT_TOPIC_CONFIG,
  type FullTopicConfig,
  withoutOwner,
} from '../local/topic-config.ts';
import { MemoryPartition, PreparedBatch } from './memory-partition.ts';

interface MemoryTopic {
  readonly id: string;
  config: FullTopicConfig;
  readonly partitions: MemoryPartition[];
}

/** @public */
export interface MemoryLogOptions {
  /** The clock for retention, in ms since the epoch (default: `Date.now`); a test can pass its virtual clock. */
  readonly now?: () => number;
}

const NOT_WRITTEN = { written: 'no' } as const;

/**
 * Topics, offsets and state in memory, with synchronous methods: a log for tests, also in a browser. Records are kept
 * as columns, so reading them decodes nothing. Several transports over one log are like several processes on one
 * folder.
 *
 * @public
 */
export class MemoryLog {
  /** The stores of all applications. */
  readonly stores: StoreBackend = memoryStores();
  /** The members of the groups on this log. */
  readonly groups: LocalGroups;
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #committed = new Map<string, ByPartition<CommittedOffset>>();
  /** Ids of deleted topics, by the groups that had committed offsets for them and by name; oldest first. */
  readonly #gone = new Map<string, string>();
  readonly #listeners = new Set<(topic?: string, partition?: number) => void>();
  readonly #now: () => number;
  #ids = 0;

  constructor(options: MemoryLogOptions = {}) {
    this.#now = options.now ?? (() => systemClock.now());
    this.groups = new LocalGroups();
  }

  list(): readonly string[] {
    return [...this.#topics.keys()].sort();
  }

  describe(name: string): TopicDescription | undefined {
    const topic = this.#topics.get(name);
    return topic && { name, partitions: topic.partitions.length, config: topic.config };
  }

  /** @internal */
  known(name: string): KnownTopic | undefined {
    const topic = this.#topics.get(name);
    return topic && { name, id: topic.id, partitions: topic.partitions.length, config: topic.config };
  }

  /** @throws as `TopicAdmin.create` */
  create(
    name: string,
    options: { readonly partitions?: number; readonly config?: TopicConfig; readonly ifMissing?: boolean } = {},
  ): void {
    const partitions = options.partitions ?? 1;
    checkTopicName(name);
    checkPartitionCount(name, partitions);
    const config = changeConfig(name, DEFAULT_TOPIC_CONFIG, options.config);
    if (this.#topics.has(name)) {
      if (options.ifMissing === true) return;
      throw topicExists(name);
    }
    const id = String(++this.#ids);
    this.#topics.set(name, { id, config, partitions: Array.from({ length: partitions }, () => new MemoryPartition()) });
    this.#changed(name);
  }

  /** Deletes a topic with its records and committed offsets. @throws `ERR_UNKNOWN_TOPIC` */
  delete(name: string): void {
    const { id } = this.#topic(name);
    this.#topics.delete(name);
    for (const [group, offsets] of this.#committed) {
      if (!offsets.deleteTopic(name)) continue;
      this.#gone.delete(`${group}/${name}`);
      this.#gone.set(`${group}/${name}`, id);
    }
    for (const key of this.#gone.keys()) {
      if (this.#gone.size <= MAX_GONE_TOPICS) break;
      this.#gone.delete(key);
    }
    this.#changed(name);
  }

  /** @throws `ERR_PARTITION_COUNT`, `ERR_UNKNOWN_TOPIC` */
  addPartitions(name: string, total: number): void {
    const { partitions } = this.#topic(name);
    checkPartitionCount(name, total, partitions.length);
    while (partitions.length < total) partitions.push(new MemoryPartition());
    this.#changed(name);
  }

  /** @throws `ERR_TOPIC_CONFIG`, `ERR_UNKNOWN_TOPIC` */
  configure(name: string, config: TopicConfig): void {
    const topic = this.#topic(name);
    topic.config = changeConfig(name, topic.config, config);
  }

  /** Like `TopicAdmin.claimAll`. @internal */
  claim(names: readonly string[], claim: string): void {
    for (const topic of names.flatMap((name) => this.#topics.get(name) ?? [])) {
      const { config } = topic;
      if (config.owner === undefined && config.claim === undefined) topic.config = { ...config, claim };
    }
  }

  /** Like `TopicAdmin.release`. @throws `ERR_UNKNOWN_TOPIC` @internal */
  release(name: string): void {
    const topic = this.#topic(name);
    topic.config = withoutOwner(topic.config);
  }

  /** @throws `ERR_UNKNOWN_PARTITION`, `ERR_UNKNOWN_TOPIC` */
  deleteRecords(name: string, before: readonly { readonly partition: number; readonly offset: number }[]): void {
    const found = before.map(({ partition, offset }) => ({ partition: this.#partition(name, partition), offset }));
    for (const { partition, offset } of found) partition.deleteBefore(offset);
    for (const { partition } of before) this.#changed(name, partition);
  }

  /** Checks a batch and takes its records out of the builder. @throws as `Producer.send` */
  prepare(place: TopicPartition, records: RecordBatchBuilder, compression: Compression = 'none'): PreparedBatch {
    const { partition, topic } = place;
    const target = this.#partition(topic, partition, NOT_WRITTEN);
    const { maxMessageBytes } = this.#topic(place.topic, NOT_WRITTEN).config;
    let bytes = records.sizeInBytes;
    // The limit applies to the compressed batch, so compress only if that decides.
    if (bytes > maxMessageBytes && compression !== 'none') bytes = records.finish({ compression }).length;
    if (bytes > maxMessageBytes) throw recordTooLarge(place, bytes, maxMessageBytes);
    return new PreparedBatch(place, target.rowsOf(records), records.maxTimestamp, bytes);
  }

  /** Appends batches, all or none. @returns their base offsets. @throws as `Producer.send` */
  append(batches: readonly PreparedBatch[]): readonly number[] {
    if (batches.length === 0) return [];
    const targets = batches.map((batch) => this.#partition(batch.topic, batch.partition, NOT_WRITTEN));
    const now = this.#now();
    const offsets = batches.map((batch, i) => targets[i]!.append(batch, now));
    for (const { topic, partition } of batches) this.#changed(topic, partition);
    return offsets;
  }

  /** Appends outputs and applies state and offsets, all or none. */
  commit({ groupId, outputs, offsets, state }: LogCommit<PreparedBatch>): void {
    for (const { topic, partition } of outputs) this.#partition(topic, partition, NOT_WRITTEN);
    // The only part that can still fail comes first.
    this.stores.apply(state);
    this.#setOffsets(groupId, offsets);
    this.append(outputs);
  }

  /**
   * The batch that contains an offset; `undefined` at the end.
   *
   * @param topicId - The topic of the offset (default: the one that has the name now).
   * @throws as `Fetcher.poll`
   */
  read(topic: string, partition: number, offset: number, topicId?: string): FetchedBatch | undefined {
    if (topicId !== undefined && topicId !== this.#topic(topic).id) throw topicRecreated({ topic, partition });
    const from = this.#partition(topic, partition);
    if (offset < from.start || offset > from.end) throw outOfRange({ topic, partition }, offset, from.start, from.end);
    return from.read(offset);
  }

  endOffset(topic: string, partition: number): number | undefined {
    return this.#topics.get(topic)?.partitions[partition]?.end;
  }

  /** @throws `ERR_UNKNOWN_TOPIC`, `ERR_UNKNOWN_PARTITION` */
  offsets(name: string, query: OffsetQuery, partitions?: readonly number[]): ReadonlyMap<number, number> {
    const wanted = partitions ?? this.#topic(name).partitions.map((_, i) => i);
    return new Map(
      wanted.map((number) => {
        const partition = this.#partition(name, number);
        if (query === 'earliest') return [number, partition.start];
        return [number, typeof query === 'string' ? partition.end : partition.offsetAt(query.time)];
      }),
    );
  }

  /** Groups that have members or committed offsets. @internal */
  groupIds(): readonly string[] {
    return [...new Set([...this.#committed.keys(), ...this.groups.active()])].sort();
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): readonly CommittedOffset[] {
    const offsets = this.#committed.get(groupId);
    return partitions.flatMap((place) => {
      const { partition, topic } = place;
      const gone = (): readonly CommittedOffset[] => {
        const there = this.#topics.get(topic)?.partitions[partition] !== undefined;
        return offsetOfGone(place, there ? this.#gone.get(`${groupId}/${topic}`) : undefined);
      };
      return offsets?.get(topic, partition) ?? gone();
    });
  }

  /** @internal */
  describeGroup(groupId: string): GroupFacts | undefined {
    const offsets = [...(this.#committed.get(groupId)?.values() ?? [])];
    const active = this.groups.hasMembers(groupId);
    return offsets.length === 0 && !active ? undefined : { active, offsets, stores: storeNames(this.stores, groupId) };
  }

  /** Like `Transport.deleteGroup`. @throws `ERR_GROUP_ACTIVE` @internal */
  deleteGroup(groupId: string): void {
    if (this.groups.hasMembers(groupId)) throw groupActive(groupId);
    this.#committed.delete(groupId);
    for (const key of this.#gone.keys()) if (key.startsWith(`${groupId}/`)) this.#gone.delete(key);
    for (const id of this.stores.list(groupId)) {
      const keys = [...this.stores.open(id).keys()];
      this.stores.apply([{ id, keys, values: keys.map(() => null) }]);
    }
  }

  /** @throws `ERR_GROUP_ACTIVE` */
  setCommitted(groupId: string, offsets: readonly CommittedOffset[]): void {
    if (this.groups.hasMembers(groupId)) throw groupActive(groupId);
    this.#setOffsets(groupId, offsets);
  }

  /** Applies retention and compaction now, if they are due. @param now - In ms since the epoch. */
  maintain(now: number = this.#now()): void {
    for (const [name, { config, partitions }] of this.#topics) {
      partitions.forEach((partition, number) => partition.maintain(config, now, this.#lowestCommitted(name, number)));
    }
  }

  /** Calls back synchronously after a change of a partition or a topic. @returns a function that stops this. */
  onChange(listener: (topic?: string, partition?: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(topic: string, partition?: number): void {
    for (const listener of this.#listeners) listener(topic, partition);
  }

  #lowestCommitted(topic: string, partition: number): number {
    let lowest = Number.POSITIVE_INFINITY;
    for (const offsets of this.#committed.values()) {
      lowest = Math.min(lowest, offsets.get(topic, partition)?.offset ?? lowest);
    }
    return lowest;
  }

  #setOffsets(groupId: string, offsets: readonly CommittedOffset[]): void {
    if (offsets.length === 0) return;
    let group = this.#committed.get(groupId);
    if (group === undefined) this.#committed.set(groupId, (group = new ByPartition()));
    for (const { topic, partition, offset, metadata, topicId } of offsets) {
      // An offset of a deleted topic does not apply to the topic that has its name now.
      if (topicId !== undefined && topicId !== this.#topics.get(topic)?.id) continue;
      const entry = metadata === undefined ? { topic, partition, offset } : { topic, partition, offset, metadata };
      group.set(topic, partition, entry);
    }
  }

  #topic(name: string, written = {}): MemoryTopic {
    const topic = this.#topics.get(name);
    if (topic === undefined) throw unknownTopic(name, written);
    return topic;
  }

  #partition(name: string, number: number, written = {}): MemoryPartition {
    const { partitions } = this.#topic(name, written);
    const partition = partitions[number];
    if (partition === undefined) {
      throw unknownPartition({ topic: name, partition: number }, partitions.length, written);
    }
    return partition;
  }
}
