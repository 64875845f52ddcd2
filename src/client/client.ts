import type { Target } from '../dataflow/target.ts';
import type { OffsetQuery } from '../log/transport.ts';
import type { StreamRecord } from '../record.ts';
import type { ClientGroups } from './client-groups.ts';
import type { ClientTopics, TopicName } from './client-topics.ts';
import type { Published, PublishRecord } from './publish/published.ts';
import type { CommittableRecord } from './read/committable-record.ts';
import type { ExplicitReadOptions, PatternOptions, ReadOptions } from './read/read-options.ts';
import type { Records } from './read/records.ts';

/** The record that is read from a topic. @public */
// `any` stands only where types are inferred: serdes are invariant, so no other type takes them all.
// oxlint-disable-next-line typescript/no-explicit-any
export type RecordOf<T extends Target<any, any>> = T extends Target<infer K, infer V> ? StreamRecord<K, V> : never;

/** As {@link RecordOf}, with `commit()`. @public */
// oxlint-disable-next-line typescript/no-explicit-any
export type CommittableOf<T extends Target<any, any>> =
  T extends Target<infer K, infer V> ? CommittableRecord<K, V> : never;

/** Offsets by partition. @public */
export type PartitionOffsets = ReadonlyMap<number, number>;

/**
 * Publishes, subscribes and administers, for programs that need no pipeline. Opened by `connect`. All calls after `close`
 * reject with `ERR_CLOSED`.
 *
 * @public
 */
export interface Client {
  readonly topics: ClientTopics;
  readonly groups: ClientGroups;
  /**
   * Publishes a record. Resolves when it is acknowledged: on the embedded log, by default, when it is flushed to disk.
   *
   * Many calls that are not awaited one by one share one write. Records of one partition are written in the order of the
   * calls. Awaiting is the back-pressure; a loop that never awaits is stopped by `ERR_BUFFER_FULL`.
   *
   * The topic must exist, or be declared with its number of partitions: `topic('orders', { partitions: 3, … })`.
   *
   * @throws MillraceError whose `written` says whether the record may be in the log: `'no'`, or `'unknown'`. A record that
   * cannot be encoded, is too large or names a partition that does not exist rejects only its own call.
   */
  publish<K, V>(topic: Target<K, V>, record: PublishRecord<NoInfer<K>, NoInfer<V>>): Promise<Published>;
  /**
   * Publishes records with one write: on the embedded log and in memory all or none of them, on Kafka batch by batch. After
   * each 2,000 records or 1 MiB the process does other things before it takes the next ones from the iterable, so leave
   * those that it has not taken unchanged until the call resolves.
   *
   * All of them fill the memory at once: publish what is larger in several calls. Beside what waits already `maxBufferedBytes`
   * holds for them too (`ERR_BUFFER_FULL`), a call alone may exceed it.
   *
   * @returns Where each record is, in the order given.
   * @throws as `publish`; one record that cannot be encoded refuses all.
   */
  publishAll<K, V>(
    topic: Target<K, V>,
    records: Iterable<PublishRecord<NoInfer<K>, NoInfer<V>>>,
  ): Promise<readonly Published[]>;
  /** Resolves when everything published so far has been acknowledged or refused; the calls themselves say which. */
  flush(): Promise<void>;

  /**
   * Reads topics: subscribe to it, or loop over it with `for await`. Nothing happens before that.
   *
   * - new records only: `client.records(orders)`
   * - everything, then new ones: `{ from: 'earliest' }`
   * - from an offset or a time: `{ from: { offset: 100 } }`, `{ from: { offsets: new Map([[0, 7], [1, 9]]) } }`,
   *   `{ from: { time: new Date('2026-01-01') } }`
   * - what is there, and then complete: `{ from: 'earliest', until: 'end' }`, or until an offset or a time
   * - chosen partitions: `{ partitions: [0, 2] }`
   * - as a member of a group: `{ group: 'billing' }`; with the program committing: `{ group: 'billing', commit: 'explicit' }`
   *   and `record.commit()`
   * - several topics: `client.records([orders, refunds])`
   * - all topics of a pattern, also those created later: `client.records(/^orders-/, { value: json() })`
   *
   * A topic that is found while a subscription is open is read from its first record (with `from: { time }` from that time
   * on; in a group from its committed offset, where there is one). One that is there at the start is read as `from` says.
   *
   * An endless subscription keeps the process alive until it is unsubscribed or the client closed. Closing the client
   * completes endless subscriptions; one with an `until` that it did not reach fails with `ERR_CLOSED`.
   *
   * A group delivers at least once: what was delivered but not committed when a member dies is delivered again. A record
   * during whose delivery the subscription ends (`take(1)`, an operator that throws) does not count as processed.
   *
   * @throws ConfigError `ERR_OPTION` for options that are wrong or contradict each other. The Observable fails with a
   * MillraceError: `ERR_UNKNOWN_TOPIC`, `ERR_OFFSET_OUT_OF_RANGE` with the lost range, `ERR_DECODE` and its like with the
   * record's place, `ERR_CORRUPT_BATCH`, `ERR_CLOSED`.
   *
   * @example
   * ```ts
   * import { connect, json, memoryTransport, string, topic } from 'millrace';
   *
   * const orders = topic('orders', { key: string(), value: json<{ total: number }>(), partitions: 1 });
   * const client = await connect({ transport: memoryTransport() });
   * await client.publish(orders, { key: 'o-1', value: { total: 12 } });
   * for await (const { key, value } of client.records(orders, { from: 'earliest', until: 'end' })) {
   *   console.log(key, value.total); // => o-1 12
   * }
   * await client.close();
   * ```
   */
  records<V, K = null>(
    pattern: RegExp,
    options: ExplicitReadOptions & PatternOptions<K, V>,
  ): Records<CommittableRecord<K, V>>;
  records<V, K = null>(pattern: RegExp, options: ReadOptions & PatternOptions<K, V>): Records<StreamRecord<K, V>>;
  // oxlint-disable-next-line typescript/no-explicit-any
  records<T extends Target<any, any>>(
    topics: T | readonly T[],
    options: ExplicitReadOptions,
  ): Records<CommittableOf<T>>;
  // The compiler explains the last overload when none fits, so the most common one stands here.
  // oxlint-disable-next-line typescript/no-explicit-any
  records<T extends Target<any, any>>(topics: T | readonly T[], options?: ReadOptions): Records<RecordOf<T>>;

  /** Offsets by partition: the first kept, the next to be written, or the first at or after a time. */
  offsets(topic: TopicName, query: OffsetQuery | { readonly time: Date }): Promise<PartitionOffsets>;
  /** A group's committed offsets, of those partitions that have one: the offset that is read next. */
  committed(group: string, topic: TopicName): Promise<PartitionOffsets>;
  /** Sets a group's offsets, while it has no members. @throws ConfigError `ERR_GROUP_ACTIVE` */
  setCommitted(group: string, topic: TopicName, offsets: PartitionOffsets | readonly number[]): Promise<void>;
  /**
   * How many offsets a group is behind the end, by partition; from the oldest record where it has no committed offsets.
   * Offsets of transactions and of compacted records count, so it is an upper bound of records.
   */
  lag(group: string, topic: TopicName): Promise<PartitionOffsets>;

  /**
   * Ends all subscriptions, with a last automatic commit, waits for what is being published, and closes the log. Takes at
   * most `closeDeadline`; what is still waiting then rejects with `ERR_CLOSE_DEADLINE`. A second call waits for the first.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
