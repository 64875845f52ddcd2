import { type ErrorDetails, MillraceError } from '../../errors.ts';
import type { CommittedOffset, GroupFacts, OffsetQuery, OutgoingBatch, TopicPartition } from '../../log/transport.ts';
import { stampBaseOffset } from '../../protocol/batch-builder.ts';
import { ensureCodec } from '../../protocol/compression.ts';
import { groupActive, recordTooLarge, unknownPartition, unknownTopic } from '../local/errors.ts';
import { offsetOfGone } from '../local/gone-topics.ts';
import { LocalGroups } from '../local/groups.ts';
import type { LogCommit } from '../local/session.ts';
import { storeNames } from '../local/store-names.ts';
import { Batches } from './batches.ts';
import { Catalog, type StoredTopic } from './catalog.ts';
import type { Databases } from './lmdb.ts';
import { LogReader } from './log-reader.ts';
import { type EmbeddedMachine, thisMachine } from './machine.ts';
import { Owners } from './owners.ts';
import type { PartitionState } from './partition-state.ts';
import { LmdbStores } from './store-backend.ts';
import { Writer, type WriterOptions } from './writer.ts';

/** A batch to write to the log. */
export interface EncodedBatch extends TopicPartition {
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly maxTimestamp: number;
}

const NOT_WRITTEN: ErrorDetails = { written: 'no' };
/** Writes that free space are tried even if no space is left. */
const FREES_SPACE = 0;
/** The most entries to remove in one transaction. */
const PORTION = 2000;
/** Overhead of a write besides its payload, in bytes: keys, index, tree pages. */
const WRITE_OVERHEAD = 4096;

export interface EmbeddedLogOptions extends Pick<WriterOptions, 'file' | 'maxBytes' | 'gate' | 'reopen'> {
  readonly now: () => number;
  /** The machine below it (default: this one). */
  readonly machine?: EmbeddedMachine;
  /** Tells other processes that something was committed. */
  readonly ring: () => void;
}

/** The topics, records, offsets and state of one folder, as this process sees them. */
export class EmbeddedLog {
  readonly groups: LocalGroups;
  readonly catalog: Catalog;
  readonly batches: Batches;
  readonly reader: LogReader;
  readonly stores: LmdbStores;
  readonly owners: Owners;
  readonly writer: Writer;
  readonly #db: Databases;
  readonly #options: EmbeddedLogOptions;
  readonly #listeners = new Set<(topic?: string, partition?: number) => void>();
  /** Partitions that the running transaction has touched. */
  readonly #touched = new Map<
    string,
    { readonly topic: StoredTopic; readonly partition: number; readonly state: PartitionState }
  >();

  constructor(db: Databases, options: EmbeddedLogOptions) {
    this.#db = db;
    this.#options = options;
    const { machine = thisMachine } = options;
    this.groups = new LocalGroups(machine.random);
    this.catalog = new Catalog(db, machine);
    this.batches = new Batches(db);
    this.reader = new LogReader(this.catalog, this.batches, (place) =>
      this.checkPartition(this.topic(place.topic), place.partition),
    );
    this.stores = new LmdbStores(db, this.catalog);
    this.owners = new Owners(this.catalog, machine);
    this.writer = new Writer(db, {
      ...options,
      machine,
      beforeCommit: () => this.#storeTouched(),
      afterCommit: (committed) => this.#announce(committed),
    });
  }

  // Reading -----------------------------------------------------------------------------------------------------------

  topic(name: string, written: ErrorDetails = {}): StoredTopic {
    const topic = this.catalog.topics().get(name);
    if (topic === undefined) throw unknownTopic(name, written);
    return topic;
  }

  /** The id of the topic that has a name now; it differs from those that had the name before. */
  topicId(name: string): string | undefined {
    const topic = this.catalog.topics().get(name);
    return topic && String(topic.id);
  }

  checkPartition(topic: StoredTopic, partition: number, written: ErrorDetails = {}): void {
    if (Number.isInteger(partition) && partition >= 0 && partition < topic.partitions) return;
    throw unknownPartition({ topic: topic.name, partition }, topic.partitions, written);
  }

  offsets(name: string, query: OffsetQuery, partitions?: readonly number[]): ReadonlyMap<number, number> {
    const topic = this.topic(name);
    const wanted = partitions ?? Array.from({ length: topic.partitions }, (_, i) => i);
    return new Map(
      wanted.map((partition) => {
        this.checkPartition(topic, partition);
        const { start, end } = this.catalog.partition(topic.id, partition);
        return [partition, query === 'earliest' ? start : end];
      }),
    );
  }

  committed(groupId: string, partitions: readonly TopicPartition[]): readonly CommittedOffset[] {
    return partitions.flatMap(
      (place) => this.catalog.committed(groupId, place) ?? this.#committedBefore(groupId, place),
    );
  }

  #committedBefore(groupId: string, place: TopicPartition): readonly CommittedOffset[] {
    const topic = this.catalog.topics().get(place.topic);
    if (topic === undefined || place.partition >= topic.partitions) return [];
    const gone = this.catalog.goneTopic(groupId, place.topic);
    return offsetOfGone(place, gone === undefined ? undefined : String(gone));
  }

  /** Groups that have been run here or have committed offsets. */
  groupIds(): readonly string[] {
    return [...new Set([...this.catalog.groupIds(), ...this.groups.active()])].sort();
  }

  describeGroup(groupId: string): GroupFacts | undefined {
    const offsets = this.catalog.allCommitted(groupId);
    const active = this.#isActive(groupId);
    return offsets.length === 0 && !active ? undefined : { active, offsets, stores: storeNames(this.stores, groupId) };
  }

  #isActive(groupId: string): boolean {
    return this.groups.hasMembers(groupId) || this.owners.alive(groupId) !== undefined;
  }

  // Writing -----------------------------------------------------------------------------------------------------------

  /** Encodes and checks a batch; synchronously unless its codec must be loaded first. */
  prepare(batch: OutgoingBatch): EncodedBatch | Promise<EncodedBatch> {
    this.#check(batch, 0);
    try {
      return this.#encode(batch);
    } catch (error) {
      if (codeOf(error) !== 'ERR_CODEC_NOT_LOADED') throw error;
      return ensureCodec(batch.compression).then(() => this.#encode(batch));
    }
  }

  #encode({ topic, partition, records, compression }: OutgoingBatch): EncodedBatch {
    const bytes = records.finish({ compression });
    this.#check({ topic, partition }, bytes.length);
    return { topic, partition, bytes, count: records.count, maxTimestamp: records.maxTimestamp };
  }

  #check(place: TopicPartition, bytes: number): StoredTopic {
    const topic = this.topic(place.topic, NOT_WRITTEN);
    this.checkPartition(topic, place.partition, NOT_WRITTEN);
    if (bytes > topic.config.maxMessageBytes) throw recordTooLarge(place, bytes, topic.config.maxMessageBytes);
    return topic;
  }

  /** Appends batches, all or none. @returns their base offsets, once durable. */
  append(batches: readonly EncodedBatch[]): Promise<readonly number[]> {
    return this.writer.write(sizeOf(batches), () => {
      const topics = batches.map((batch) => this.#check(batch, batch.bytes.length));
      return batches.map((batch, i) => this.#append(topics[i]!, batch));
    });
  }

  /** Applies outputs, state and offsets of a commit, all or none. */
  commit({ groupId, outputs, offsets, state }: LogCommit<EncodedBatch>, epoch: number): Promise<void> {
    let bytes = sizeOf(outputs) + WRITE_OVERHEAD;
    for (const { keys, values } of state) {
      for (let i = 0; i < keys.length; i++) bytes += 32 + keys[i]!.length + (values[i]?.length ?? 0);
    }
    return this.writer.write(bytes, () => {
      this.owners.check(groupId, epoch);
      const topics = outputs.map((batch) => this.#check(batch, batch.bytes.length));
      this.stores.check(state);
      outputs.forEach((batch, i) => this.#append(topics[i]!, batch));
      this.stores.write(state);
      this.#putCommitted(groupId, offsets);
    });
  }

  setCommitted(groupId: string, offsets: readonly CommittedOffset[]): Promise<void> {
    return this.writer.write(WRITE_OVERHEAD, () => {
      this.#checkInactive(groupId);
      this.#putCommitted(groupId, offsets);
    });
  }

  /**
   * Removes offsets and stores of a group, all or none. The entries of the stores, which are then unreachable, are
   * removed afterwards in portions, so that others can write in between.
   *
   * @throws `ERR_GROUP_ACTIVE`
   */
  async deleteGroup(groupId: string): Promise<void> {
    const numbers = await this.writer.write(FREES_SPACE, () => {
      this.#checkInactive(groupId);
      this.catalog.removeGroup(groupId);
      return this.stores.forget(groupId);
    });
    for (const number of numbers) {
      while (await this.writer.write(FREES_SPACE, () => this.stores.removeEntries(number, PORTION)));
    }
  }

  #checkInactive(groupId: string): void {
    if (this.groups.hasMembers(groupId)) throw groupActive(groupId);
    const pid = this.owners.alive(groupId);
    if (pid !== undefined) throw groupActive(groupId, ` in process ${pid}`);
  }

  #putCommitted(groupId: string, offsets: readonly CommittedOffset[]): void {
    const topics = this.catalog.topics();
    for (const offset of offsets) {
      // An offset of a deleted topic does not apply to the topic that has its name now.
      if (offset.topicId !== undefined && offset.topicId !== String(topics.get(offset.topic)?.id)) continue;
      this.catalog.putCommitted(groupId, offset);
    }
  }

  #append(topic: StoredTopic, { partition, bytes, count, maxTimestamp }: EncodedBatch): number {
    const state = this.touch(topic, partition);
    const baseOffset = state.end;
    stampBaseOffset(bytes, baseOffset);
    state.end += count;
    state.bytes += bytes.length;
    this.batches.put(topic.id, partition, baseOffset, bytes, {
      nextOffset: state.end,
      maxTimestamp,
      appendedAt: this.#options.now(),
      bytes: bytes.length,
    });
    return baseOffset;
  }

  /** The state of a partition in the running transaction; changes to it are stored and announced with the commit. */
  touch(topic: StoredTopic, partition: number): PartitionState {
    const key = `${topic.id}/${partition}`;
    let touched = this.#touched.get(key);
    if (touched === undefined) {
      touched = { topic, partition, state: this.catalog.partition(topic.id, partition) };
      this.#touched.set(key, touched);
    }
    return touched.state;
  }

  /** Removes a limited number of batches that end at or before an offset. @returns whether there may be more. */
  dropBefore(topic: StoredTopic, partition: number, offset: number, limit: number): boolean {
    const state = this.touch(topic, partition);
    const infos = this.batches.from(topic.id, partition, 0, limit);
    for (const info of infos) {
      if (info.nextOffset > offset) return false;
      this.batches.remove(topic.id, partition, info.baseOffset);
      state.bytes -= info.bytes;
    }
    return infos.length === limit;
  }

  forget(topicId: number): void {
    for (const key of this.#touched.keys()) if (key.startsWith(`${topicId}/`)) this.#touched.delete(key);
  }

  #storeTouched(): void {
    for (const { topic, partition, state } of this.#touched.values()) {
      this.catalog.putPartition(topic.id, partition, state);
    }
  }

  // Changes -----------------------------------------------------------------------------------------------------------

  onChange(listener: (topic?: string, partition?: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Reads the newest state, because another process may have committed. */
  refresh(): void {
    this.#db.root.resetReadTxn();
    this.reader.forget();
    for (const listener of this.#listeners) listener();
  }

  #announce(committed: boolean): void {
    const touched = [...this.#touched.values()];
    this.#touched.clear();
    if (!committed) return;
    this.reader.forget();
    this.#options.ring();
    for (const { topic, partition } of touched) for (const listener of this.#listeners) listener(topic.name, partition);
  }

  /** Announces a change that concerns all partitions of a topic. */
  announceTopic(name: string): void {
    for (const listener of this.#listeners) listener(name);
  }
}

function sizeOf(batches: readonly EncodedBatch[]): number {
  let bytes = 0;
  for (const batch of batches) bytes += batch.bytes.length + WRITE_OVERHEAD;
  return bytes;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof MillraceError ? error.code : undefined;
}
