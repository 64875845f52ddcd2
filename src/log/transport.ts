import type { MillraceError } from '../errors.ts';
import type { FullTopicConfig, TopicConfig } from '../options/topic-config.ts';
import type { RecordBatchBuilder } from '../protocol/batch-builder.ts';
import type { RecordColumns } from '../protocol/columns.ts';
import type { Compression } from '../protocol/compression.ts';
import type { ReadableStores, StoreBackend, StoreWrites } from '../state/byte-store.ts';
import type { Awaitable } from './awaitable.ts';
import type { Origins, OutputOrigin } from './origins.ts';

export type { FullTopicConfig, TopicConfig };

/** A partition of a topic. @public */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A topic as it exists. @public */
export interface TopicDescription {
  readonly name: string;
  readonly partitions: number;
  readonly config: FullTopicConfig;
}

/** What may change about a topic while it is used. @public */
export interface TopicFacts {
  readonly name: string;
  readonly partitions: number;
  /** Tells the topic from others that had its name before; `undefined` where the log does not say (Kafka before 2.8). */
  readonly id: string | undefined;
}

/** A topic as it exists, and which one of its name it is. @public */
export interface KnownTopic extends TopicDescription, TopicFacts {}

/** A topic that is to be there. @public */
export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly config: TopicConfig;
}

/** Administration of topics. Every call rejects with a typed error that names the topic. @public */
export interface TopicAdmin {
  /** Names in ascending order. */
  list(): Promise<readonly string[]>;
  /** `undefined` when there is no such topic. */
  describe(name: string): Promise<TopicDescription | undefined>;
  /**
   * @throws `ERR_TOPIC_EXISTS` unless `ifMissing`; `ERR_TOPIC_NAME` for a name outside `[a-zA-Z0-9._-]{1,249}`;
   * `ERR_PARTITION_COUNT` for less than one partition.
   */
  create(
    name: string,
    options?: { readonly partitions?: number; readonly config?: TopicConfig; readonly ifMissing?: boolean },
  ): Promise<void>;
  /** @throws `ERR_UNKNOWN_TOPIC` */
  delete(name: string): Promise<void>;
  /** Raises the number of partitions. @throws `ERR_PARTITION_COUNT` when it would shrink. */
  addPartitions(name: string, total: number): Promise<void>;
  /** Topics as they are now, without those that do not exist; any number of them at once. */
  facts(names: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>>;
  /** As `facts`, with configurations. */
  describeAll(names: readonly string[]): Promise<ReadonlyMap<string, KnownTopic>>;
  /** Makes the topics that are missing, any number of them at once. @throws as `create` */
  createAll(topics: readonly NewTopic[]): Promise<void>;
  /** Changes the given fields. */
  configure(name: string, config: TopicConfig): Promise<void>;
  /**
   * Marks topics as those of one application, as far as nobody has marked them and the log can keep a mark with them. Of
   * several applications that claim a topic at the same moment at most one finds its mark there when this resolves.
   */
  claimAll(names: readonly string[], claim: string): Promise<void>;
  /** Takes the mark of an application off a topic. @throws `ERR_UNKNOWN_TOPIC` */
  release(name: string): Promise<void>;
  /** Removes the records before an offset; reading before it is then out of range. */
  deleteRecords(
    name: string,
    before: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<void>;
}

/** What is known of a group from outside. */
export interface GroupFacts {
  /** Whether it has members. */
  readonly active: boolean;
  /** What it has committed, as `Transport.committed` has it. */
  readonly offsets: readonly CommittedOffset[];
  /** Stores of an application that lie in the log. */
  readonly stores: readonly string[];
}

/**
 * Which offset is meant: the first kept, the end of what can be read, the end of what is written, also by transactions
 * whose end is not known yet, or the first record at or after a time (ms).
 *
 * @public
 */
export type OffsetQuery = 'earliest' | 'latest' | 'written' | { readonly time: number };

/** Which records an offset counts. Names of topics are given again, and logs of brokers can lose their ends. @public */
export interface OffsetOrigin {
  /** The topic, told from others that had its name before; `undefined` where it is not known. */
  readonly topicId?: string | undefined;
  /** Under which leader the record before the offset was written; `undefined` where leaders do not change. */
  readonly leaderEpoch?: number | undefined;
}

/** A committed position: the offset to read next. @public */
export interface CommittedOffset extends TopicPartition, OffsetOrigin {
  readonly offset: number;
  readonly metadata?: string;
}

/** What a fetch delivers: records (possibly none) and how far the partition reaches. */
export interface FetchedBatch extends RecordColumns {
  /** The offset after the last readable record, as known when the batch was fetched. */
  readonly endOffset: number;
}

export interface FetcherOptions {
  /** `committed` (default): records of aborted or open transactions are never seen. */
  readonly isolation?: 'committed' | 'uncommitted';
  /**
   * Bound on bytes buffered ahead per partition (1 MiB; less on Kafka with more than 64 partitions, which share 64 MiB).
   * At least one batch is always delivered.
   */
  readonly maxBytes?: number;
  /** Called, never synchronously from a method of the fetcher, when `poll` may have something new to say. */
  readonly onReady: () => void;
  /** Measures fetches: each that brings records hands on what `begin` has returned. */
  readonly timing?: { begin(): number; came(began: number): void };
}

/**
 * Reads partitions without a group. Back-pressure is by not polling: what is not polled is not fetched ahead beyond
 * `maxBytes`.
 */
export interface Fetcher {
  /**
   * Starts reading a partition at an offset; assigning it again is a seek. The offset is one of the topic that `origin`
   * names, else of the one that is there now.
   */
  assign(topic: string, partition: number, offset: number, origin?: OffsetOrigin): void;
  unassign(topic: string, partition: number): void;
  /**
   * Takes the next batch of an assigned partition, or `undefined` when none is there yet. Never blocks. Also a batch
   * without records (emptied by compaction, control records) is delivered, because its `nextOffset` is progress.
   *
   * @throws MillraceError for this partition: `ERR_OFFSET_OUT_OF_RANGE` (with the lost range), `ERR_CORRUPT_BATCH`
   * (with the damaged range), `ERR_UNKNOWN_TOPIC`, `ERR_TOPIC_RECREATED`, `ERR_LOG_TRUNCATED` (with the range that was
   * read and is gone). The position stays; polling again reports it again.
   */
  poll(topic: string, partition: number): FetchedBatch | undefined;
  /** What offsets of an assigned partition belong to, up to the end of the batch that was taken last. */
  origin(topic: string, partition: number): OffsetOrigin;
  /** The offset after the last readable record as last heard; `undefined` while unknown. */
  endOffset(topic: string, partition: number): number | undefined;
  /** What the fetcher waits for, in words, when it waits for something other than new records. */
  waitingFor(): string | undefined;
  close(): Awaitable<void>;
}

/** Records on their way to a partition. Transports do not keep the builder: after `send` resolves it may be reused. */
export interface OutgoingBatch extends TopicPartition {
  readonly records: RecordBatchBuilder;
  readonly compression: Compression;
  /** Decides on records that the log refuses; without one a refusal of a record is a failure of the batch. */
  readonly owner?: RecordOwner;
  /** Which input record each record came from, for its owner. Not kept by transports, as the builder. */
  readonly origins?: Origins;
}

/** Whose records they are. */
export interface RecordOwner {
  /**
   * A record was refused, and the others of its batch are written. Awaited before the commit that it belongs to.
   *
   * @param topic - The one that it was written to.
   * @param origin - The input record and the row that it came from.
   * @returns What is written in its stead, within the same commit.
   * @throws MillraceError what the commit fails with
   */
  refused(error: MillraceError, topic: string, origin: OutputOrigin | undefined): Promise<readonly OutgoingBatch[]>;
}

export interface AppendResult extends TopicPartition {
  /** Of the first record that was written; −1 when the log has the batch and does not say where. */
  readonly baseOffset: number;
  /** The offset of each record, −1 for those that were refused; left out where they follow each other. */
  readonly offsets?: readonly number[];
  /** Records that were refused, by their index in the batch; the others are written. */
  readonly refused?: ReadonlyMap<number, MillraceError>;
}

/** Where a record of a batch is; −1 when it was refused, or the log does not say. */
export function offsetOf({ baseOffset, offsets }: Pick<AppendResult, 'baseOffset' | 'offsets'>, index: number): number {
  if (offsets !== undefined) return offsets[index] as number;
  return baseOffset < 0 ? -1 : baseOffset + index;
}

/** Writes outside any task. */
export interface Producer {
  /**
   * Appends batches, in order per partition. Resolves when all are acknowledged, which on the embedded log means flushed
   * to disk under the default durability.
   *
   * @throws MillraceError with `written: 'no'` (nothing of this call is in the log) or `'unknown'`:
   * `ERR_UNKNOWN_TOPIC`, `ERR_UNKNOWN_PARTITION`, `ERR_RECORD_TOO_LARGE`, `ERR_DISK_FULL`, `ERR_CLOSED`.
   */
  send(batches: readonly OutgoingBatch[]): Promise<readonly AppendResult[]>;
  /**
   * As `send`, where a batch, or a record in it, that is refused does not take the others with it. Never rejects.
   *
   * @returns What became of each batch, in order.
   */
  sendEach(batches: readonly OutgoingBatch[]): Promise<readonly (AppendResult | MillraceError)[]>;
  close(): Promise<void>;
}

/** One unit of work that a group hands out: it is owned by one member at a time. */
export interface TaskSpec {
  /** Unique in the group; `stage/partition` for pipelines. */
  readonly id: string;
  readonly partitions: readonly TopicPartition[];
}

export interface GroupOptions {
  readonly groupId: string;
  readonly tasks: readonly TaskSpec[];
  /** Whether other processes may share the tasks. An application on the embedded log runs in one process. */
  readonly exclusive?: boolean;
  /**
   * Awaited before the tasks are given to this member; committed offsets are stable when it is called. The session is the
   * one that `group` returns, possibly later.
   */
  readonly onAssigned: (tasks: readonly string[], generation: number, session: TaskSession) => Awaitable<void>;
  /** Awaited before the tasks go to another member, so that it can commit. With `lost`, it is too late for that. */
  readonly onRevoked: (tasks: readonly string[], lost: boolean) => Awaitable<void>;
  /** The session has failed and will not recover by itself. */
  readonly onError: (error: MillraceError) => void;
}

/** What moves together: outputs sent since the last commit, state, and offsets. */
export interface CommitUnit {
  /** The generation in which the work was done; a stale one is refused with `ERR_STALE_GENERATION`. */
  readonly generation: number;
  readonly offsets: readonly CommittedOffset[];
  readonly state: readonly StoreWrites[];
}

/** Membership of a group. A log in memory does what it is told at once, and then returns no promises. */
export interface TaskSession {
  readonly generation: number;
  /**
   * Tells the generation from all others of the group, also where the count starts again; the same for all members. See
   * `protocol/epoch.ts`.
   */
  readonly epoch: number;
  /** The stores of the application, which `commit` writes to. */
  readonly stores: StoreBackend;
  /**
   * Hands outputs over ahead of the commit. Where commits are atomic they become readable with the next commit, elsewhere
   * possibly at once. Resolves when the transport is ready for more (back-pressure); a failure may also surface in `commit`.
   *
   * @param generation - The one in which the work was done; the current one unless given. Work of a member that was given
   * up since is refused with `ERR_STALE_GENERATION`.
   */
  send(batches: readonly OutgoingBatch[], generation?: number): Awaitable<void>;
  /**
   * Commits all outputs sent before this call, the state and the offsets. Where `atomicCommit` holds, all or nothing.
   * Resolves when durable. Calls may overlap: they take effect in order.
   */
  commit(unit: CommitUnit): Awaitable<void>;
  /** What the session waits for, in words; `undefined` when it has what it needs. */
  waitingFor(): string | undefined;
  /** Gives all tasks back without calling `onRevoked`, and leaves the group at once. */
  leave(): Awaitable<void>;
}

/** Membership of a group, as transports have it: every call returns a promise. */
export interface GroupSession extends TaskSession {
  send(batches: readonly OutgoingBatch[], generation?: number): Promise<void>;
  commit(unit: CommitUnit): Promise<void>;
  leave(): Promise<void>;
}

export interface Capabilities {
  /** Outputs, state and offsets of a commit become durable and visible together. */
  readonly atomicCommit: boolean;
  /** State lives beside the log and needs no changelog topic to be rebuilt from. */
  readonly stateWithLog: boolean;
}

/** What tasks are run on: a transport, or a log in memory that answers at once. */
export interface TaskLog {
  /** `memory`, `embedded`, `kafka`. */
  readonly kind: string;
  readonly capabilities: Capabilities;
  readonly topics: Pick<TopicAdmin, 'facts' | 'deleteRecords'>;
  /** Offsets by query, as a map from partition; of all partitions unless some are named. @throws `ERR_UNKNOWN_TOPIC` */
  offsets(topic: string, query: OffsetQuery, partitions?: readonly number[]): Awaitable<ReadonlyMap<number, number>>;
  /**
   * Committed offsets of a group, of those partitions that have one. Stable: no open transaction is about to change them.
   * What was committed for a topic that is gone does not count for the one that has its name now: an offset with the id of
   * the old one says that the group has read that one, and nothing of the partition as it is now.
   */
  committed(groupId: string, partitions: readonly TopicPartition[]): Awaitable<readonly CommittedOffset[]>;
  fetcher(options: FetcherOptions): Fetcher;
  /**
   * Joins a group. Tasks come through `onAssigned`, with the session, possibly before this has returned it.
   *
   * @throws StoreError `ERR_APPLICATION_RUNNING` when another process runs an exclusive group on an embedded log; the
   * message names its pid.
   */
  group(options: GroupOptions): Awaitable<TaskSession>;
}

/** What the runtime needs of a log. Three implementations pass one contract suite (`test/contract`). */
export interface Transport extends TaskLog {
  /** Where it is, for people: a folder, or brokers. */
  readonly location: string;
  readonly topics: TopicAdmin;
  offsets(topic: string, query: OffsetQuery, partitions?: readonly number[]): Promise<ReadonlyMap<number, number>>;
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  /**
   * The topics of those partitions that a group has committed anything for, whatever has become of it: other partitions of
   * the topic may have been added since, or another topic may have the name now. As far as the log knows. Does not wait for
   * what transactions are about to commit.
   */
  committedTopics(groupId: string, partitions: readonly TopicPartition[]): Promise<ReadonlySet<string>>;
  /**
   * Sets a group's offsets from outside, while it has no members (`ERR_GROUP_ACTIVE` otherwise): offsets of the topics that
   * are there now unless they say so.
   */
  setCommitted(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>;
  /** Groups that the log knows of, as far as it shows them: those that have members, or have committed something. */
  groups(): Promise<readonly string[]>;
  /**
   * What is known of a group; `undefined` for one that has no committed offsets and has no members.
   *
   * @param stable - Whether to wait while a transaction is about to change its offsets, as unless it is said.
   */
  describeGroup(groupId: string, stable?: boolean): Promise<GroupFacts | undefined>;
  /**
   * Forgets what a group has committed, and the stores of an application where the log holds them: it starts as for the first
   * time. Nothing where there is nothing. @throws `ERR_GROUP_ACTIVE`
   */
  deleteGroup(groupId: string): Promise<void>;
  /** What an application has committed to its stores, on logs that hold it. It is as it is at the time of each call. */
  state?(applicationId: string): ReadableStores;
  producer(): Producer;
  group(options: GroupOptions): Promise<GroupSession>;
  close(): Promise<void>;
}

/** Who hears how opening a transport gets on. @public */
export interface OpenProgress {
  /** Called with what is waited for, in words, and with `undefined` when it is over. */
  readonly waiting?: (reason: string | undefined) => void;
}

/** Opens a transport; called once per application or client. @public */
export type OpenTransport = (progress?: OpenProgress) => Promise<Transport>;
