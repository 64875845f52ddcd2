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

/** Facts about a topic that may change while it is used. @public */
export interface TopicFacts {
  readonly name: string;
  readonly partitions: number;
  /**
   * Distinguishes the topic from earlier topics with the same name; `undefined` if the log does not provide it (Kafka
   * before 2.8).
   */
  readonly id: string | undefined;
}

/** A topic as it exists, with its facts. @public */
export interface KnownTopic extends TopicDescription, TopicFacts {}

/** A topic to create. @public */
export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly config: TopicConfig;
}

/** Administration of topics. Every call rejects with a typed error that names the topic. @public */
export interface TopicAdmin {
  /** Names in ascending order. */
  list(): Promise<readonly string[]>;
  /** `undefined` if the topic does not exist. */
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
  /** Increases the number of partitions. @throws `ERR_PARTITION_COUNT` if the number would decrease. */
  addPartitions(name: string, total: number): Promise<void>;
  /** The current facts of any number of topics; missing topics are left out. */
  facts(names: readonly string[]): Promise<ReadonlyMap<string, TopicFacts>>;
  /** Like `facts`, with configurations. */
  describeAll(names: readonly string[]): Promise<ReadonlyMap<string, KnownTopic>>;
  /** Creates those of any number of topics that are missing. @throws as `create` */
  createAll(topics: readonly NewTopic[]): Promise<void>;
  /** Changes the given fields. */
  configure(name: string, config: TopicConfig): Promise<void>;
  /**
   * Marks topics as owned by one application, unless they are already marked or the log cannot store marks. If several
   * applications claim a topic at the same time, at most one of them finds its own mark when this resolves.
   */
  claimAll(names: readonly string[], claim: string): Promise<void>;
  /** Removes the mark of an application from a topic. @throws `ERR_UNKNOWN_TOPIC` */
  release(name: string): Promise<void>;
  /** Deletes the records before an offset; reading below it is then out of range. */
  deleteRecords(
    name: string,
    before: readonly { readonly partition: number; readonly offset: number }[],
  ): Promise<void>;
}

/** What the log knows about a group. */
export interface GroupFacts {
  /** Whether it has members. */
  readonly active: boolean;
  /** Its committed offsets, as in `Transport.committed`. */
  readonly offsets: readonly CommittedOffset[];
  /** Stores of an application that are in the log. */
  readonly stores: readonly string[];
}

/**
 * Which offset to return: the first one kept (`earliest`), the end of what can be read (`latest`), the end of what is
 * written, including open transactions (`written`), or the first record at or after a time (ms).
 *
 * @public
 */
export type OffsetQuery = 'earliest' | 'latest' | 'written' | { readonly time: number };

/**
 * Identifies the records that an offset refers to: topic names can be reused, and the logs of brokers can lose their
 * ends. @public
 */
export interface OffsetOrigin {
  /** Distinguishes the topic from earlier topics with the same name; `undefined` if unknown. */
  readonly topicId?: string | undefined;
  /** Leader epoch of the record before the offset; `undefined` on logs whose leaders do not change. */
  readonly leaderEpoch?: number | undefined;
}

/** A committed position: the offset to read next. @public */
export interface CommittedOffset extends TopicPartition, OffsetOrigin {
  readonly offset: number;
  readonly metadata?: string;
}

/** The result of a fetch: records (possibly none) and the end of the partition. */
export interface FetchedBatch extends RecordColumns {
  /** The offset after the last readable record at the time of the fetch. */
  readonly endOffset: number;
}

export interface FetcherOptions {
  /** `committed` (default): records of aborted or open transactions are not delivered. */
  readonly isolation?: 'committed' | 'uncommitted';
  /**
   * The most bytes to buffer ahead per partition (default: 1 MiB; less on Kafka with more than 64 partitions, which
   * share 64 MiB). At least one batch is always delivered.
   */
  readonly maxBytes?: number;
  /** Called when `poll` may return something new; never synchronously from a method of the fetcher. */
  readonly onReady: () => void;
  /** Measures fetches: `came` gets the value that `begin` returned, for every fetch with records. */
  readonly timing?: { begin(): number; came(began: number): void };
}

/**
 * Reads partitions without a group. For back-pressure, don't poll: a partition that is not polled is not fetched beyond
 * `maxBytes`.
 */
export interface Fetcher {
  /**
   * Starts reading a partition at an offset; assigning it again is a seek. The offset refers to the topic in `origin`,
   * or to the current one without it.
   */
  assign(topic: string, partition: number, offset: number, origin?: OffsetOrigin): void;
  unassign(topic: string, partition: number): void;
  /**
   * Takes the next batch of an assigned partition, or `undefined` if there is none yet. Never blocks. Batches without
   * records (emptied by compaction, control records) are delivered too, because their `nextOffset` is progress.
   *
   * @throws MillraceError for this partition: `ERR_OFFSET_OUT_OF_RANGE` (with the lost range), `ERR_CORRUPT_BATCH`
   * (with the damaged range), `ERR_UNKNOWN_TOPIC`, `ERR_TOPIC_RECREATED`, `ERR_LOG_TRUNCATED` (with the range that was
   * read and is gone). The position stays; polling again reports it again.
   */
  poll(topic: string, partition: number): FetchedBatch | undefined;
  /** The origin of the offsets of an assigned partition, up to the end of the last batch taken. */
  origin(topic: string, partition: number): OffsetOrigin;
  /** The last known offset after the last readable record; `undefined` while unknown. */
  endOffset(topic: string, partition: number): number | undefined;
  /**
   * The last known offset after the last record, which may not be readable yet because its transaction is still open;
   * `undefined` while unknown.
   */
  writtenEnd(topic: string, partition: number): number | undefined;
  /** Describes what the fetcher waits for, if it is not new records. */
  waitingFor(): string | undefined;
  close(): Awaitable<void>;
}

/** Records to write to a partition. Transports do not keep the builder: it may be reused after `send` resolves. */
export interface OutgoingBatch extends TopicPartition {
  readonly records: RecordBatchBuilder;
  readonly compression: Compression;
  /** Decides about refused records; without an owner, a refused record fails its batch. */
  readonly owner?: RecordOwner;
  /** The origin of each record, for its owner. Like the builder, transports do not keep it. */
  readonly origins?: Origins;
}

/** The owner of records. */
export interface RecordOwner {
  /**
   * Called when a record was refused and the others of its batch are written. Awaited before the commit of the record.
   *
   * @param topic - The topic that it was written to.
   * @param origin - The input record and the row that it came from.
   * @returns The batches to write instead, within the same commit.
   * @throws MillraceError to fail the commit
   */
  refused(error: MillraceError, topic: string, origin: OutputOrigin | undefined): Promise<readonly OutgoingBatch[]>;
}

export interface AppendResult extends TopicPartition {
  /** Offset of the first record that was written; −1 if the log has the batch but does not say where. */
  readonly baseOffset: number;
  /** The offset of each record, −1 for refused ones; missing if the offsets are consecutive. */
  readonly offsets?: readonly number[];
  /** Refused records by their index in the batch; the others are written. */
  readonly refused?: ReadonlyMap<number, MillraceError>;
}

/** The offset of a record in a batch; −1 if it was refused or the log does not say. */
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
   * Like `send`, but a refused batch or record does not fail the others. Never rejects.
   *
   * @returns The outcome of each batch, in order.
   */
  sendEach(batches: readonly OutgoingBatch[]): Promise<readonly (AppendResult | MillraceError)[]>;
  close(): Promise<void>;
}

/** A unit of work that a group assigns to one member at a time. */
export interface TaskSpec {
  /** Unique in the group: `stage/partition` for pipelines. */
  readonly id: string;
  readonly partitions: readonly TopicPartition[];
}

export interface GroupOptions {
  readonly groupId: string;
  readonly tasks: readonly TaskSpec[];
  /** Whether other processes may share the tasks. An application on the embedded log runs in one process. */
  readonly exclusive?: boolean;
  /**
   * Called and awaited before this member gets the tasks; committed offsets are then stable. The session is the one
   * that `group` returns, possibly later.
   */
  readonly onAssigned: (tasks: readonly string[], generation: number, session: TaskSession) => Awaitable<void>;
  /**
   * Called and awaited before the tasks move to another member, so that this one can commit. With `lost`, it is too
   * late for a commit.
   */
  readonly onRevoked: (tasks: readonly string[], lost: boolean) => Awaitable<void>;
  /** The session has failed and will not recover by itself. */
  readonly onError: (error: MillraceError) => void;
}

/** What is committed together: outputs sent since the last commit, state, and offsets. */
export interface CommitUnit {
  /** The generation in which the work was done; a stale one is refused with `ERR_STALE_GENERATION`. */
  readonly generation: number;
  readonly offsets: readonly CommittedOffset[];
  readonly state: readonly StoreWrites[];
}

/** Membership of a group. A log in memory acts synchronously and returns no promises. */
export interface TaskSession {
  readonly generation: number;
  /**
   * Identifies the generation among all generations of the group, even if their count restarts; the same for all
   * members. See `protocol/epoch.ts`.
   */
  readonly epoch: number;
  /** The stores of the application, which `commit` writes to. */
  readonly stores: StoreBackend;
  /**
   * Sends outputs ahead of the commit. With atomic commits they become readable with the next commit, otherwise
   * possibly at once. Resolves when the transport is ready for more (back-pressure); a failure may also surface in
   * `commit`.
   *
   * @param generation - The generation in which the work was done (default: the current one). Work of a member that has
   * since been expelled is refused with `ERR_STALE_GENERATION`.
   */
  send(batches: readonly OutgoingBatch[], generation?: number): Awaitable<void>;
  /**
   * Commits all outputs sent before this call, the state and the offsets; all or nothing if `atomicCommit` is true.
   * Resolves when durable. Calls may overlap and take effect in order.
   */
  commit(unit: CommitUnit): Awaitable<void>;
  /** Describes what the session waits for; `undefined` if it has what it needs. */
  waitingFor(): string | undefined;
  /** Returns all tasks without calling `onRevoked`, and leaves the group at once. */
  leave(): Awaitable<void>;
}

/** Membership of a group in a transport: every call returns a promise. */
export interface GroupSession extends TaskSession {
  send(batches: readonly OutgoingBatch[], generation?: number): Promise<void>;
  commit(unit: CommitUnit): Promise<void>;
  leave(): Promise<void>;
}

export interface Capabilities {
  /** Whether outputs, state and offsets of a commit become durable and visible together. */
  readonly atomicCommit: boolean;
  /** Whether state is kept with the log, so that it needs no changelog topics. */
  readonly stateWithLog: boolean;
}

/** The log that tasks run on: a transport, or a log in memory that answers synchronously. */
export interface TaskLog {
  /** `memory`, `embedded`, `kafka`. */
  readonly kind: string;
  readonly capabilities: Capabilities;
  readonly topics: Pick<TopicAdmin, 'facts' | 'deleteRecords'>;
  /** Offsets that answer a query, by partition (default: for all partitions). @throws `ERR_UNKNOWN_TOPIC` */
  offsets(topic: string, query: OffsetQuery, partitions?: readonly number[]): Awaitable<ReadonlyMap<number, number>>;
  /**
   * The committed offsets of a group, for those partitions that have one. They are stable: no open transaction is about
   * to change them. Offsets of a deleted topic do not apply to the topic that has its name now: such an offset has the
   * id of the old topic and says nothing about the current partition.
   */
  committed(groupId: string, partitions: readonly TopicPartition[]): Awaitable<readonly CommittedOffset[]>;
  fetcher(options: FetcherOptions): Fetcher;
  /**
   * Joins a group. Tasks are assigned through `onAssigned`, which gets the session, possibly before this returns it.
   *
   * @throws StoreError `ERR_APPLICATION_RUNNING` if another process runs an exclusive group on an embedded log; the
   * message has its pid.
   */
  group(options: GroupOptions): Awaitable<TaskSession>;
}

/** What the runtime needs from a log. Three implementations pass one contract suite (`test/contract`). */
export interface Transport extends TaskLog {
  /** Where it is, for messages: a folder, or brokers. */
  readonly location: string;
  readonly topics: TopicAdmin;
  offsets(topic: string, query: OffsetQuery, partitions?: readonly number[]): Promise<ReadonlyMap<number, number>>;
  committed(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly CommittedOffset[]>;
  /**
   * The topics of these partitions for which a group has committed anything, as far as the log knows, even if
   * partitions have been added since or the name belongs to another topic now. Does not wait for open transactions.
   */
  committedTopics(groupId: string, partitions: readonly TopicPartition[]): Promise<ReadonlySet<string>>;
  /**
   * Sets the offsets of a group without members from outside (`ERR_GROUP_ACTIVE` if it has members). Offsets without a
   * topic id refer to the current topics.
   */
  setCommitted(groupId: string, offsets: readonly CommittedOffset[]): Promise<void>;
  /** Groups that have members or committed offsets, as far as the log shows them. */
  groups(): Promise<readonly string[]>;
  /**
   * Describes a group; `undefined` for one without committed offsets and members.
   *
   * @param stable - Whether to wait for a transaction that is about to change its offsets (default: true).
   */
  describeGroup(groupId: string, stable?: boolean): Promise<GroupFacts | undefined>;
  /**
   * Deletes the committed offsets of a group and, if the log keeps them, the stores of an application: its next start
   * is then like the first. Does nothing for an unknown group. @throws `ERR_GROUP_ACTIVE`
   */
  deleteGroup(groupId: string): Promise<void>;
  /** The committed state of an application, on logs that keep it. Each call sees the current state. */
  state?(applicationId: string): ReadableStores;
  producer(): Producer;
  group(options: GroupOptions): Promise<GroupSession>;
  close(): Promise<void>;
}

/** Receives the progress of opening a transport. @public */
export interface OpenProgress {
  /** Called with a description of what it waits for, and with `undefined` when the wait is over. */
  readonly waiting?: (reason: string | undefined) => void;
}

/** Opens a transport; called once per application or client. @public */
export type OpenTransport = (progress?: OpenProgress) => Promise<Transport>;
