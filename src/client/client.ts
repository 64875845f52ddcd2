import type { Target } from '../dataflow/target.ts';
import type { OffsetQuery } from '../log/transport.ts';
import type { StreamRecord } from '../record.ts';
import type { ClientGroups } from './client-groups.ts';
import type { ClientTopics, TopicName } from './client-topics.ts';
import type { Published, PublishRecord } from './publish/published.ts';
import type { CommittableRecord } from './read/committable-record.ts';
import type { ExplicitReadOptions, PatternOptions, ReadOptions } from './read/read-options.ts';
import type { Records } from './read/records.ts';

/** The type of the records read from a topic. @public */
// `any` stands only where types are inferred: serdes are invariant, so no other type takes them all.
// oxlint-disable-next-line typescript/no-explicit-any
export type RecordOf<T extends Target<any, any>> = T extends Target<infer K, infer V> ? StreamRecord<K, V> : never;

/** Like {@link RecordOf}, with `commit()`. @public */
// oxlint-disable-next-line typescript/no-explicit-any
export type CommittableOf<T extends Target<any, any>> =
  T extends Target<infer K, infer V> ? CommittableRecord<K, V> : never;

/** Offsets by partition. @public */
export type PartitionOffsets = ReadonlyMap<number, number>;

/**
 * Publishes, subscribes and administers, for programs without a pipeline. Opened by `connect`. All calls after `close`
 * reject with `ERR_CLOSED`.
 *
 * @public
 */
export interface Client {
  readonly topics: ClientTopics;
  readonly groups: ClientGroups;
  /**
   * Publishes a record. Resolves when it is acknowledged: on the embedded log, by default, once it is flushed to disk.
   *
   * Concurrent calls share one write. Records of one partition are written in the order of the calls. Await the calls
   * for back-pressure; a loop that never awaits fails with `ERR_BUFFER_FULL`.
   *
   * The topic must exist, or be declared with its number of partitions: `topic('orders', { partitions: 3, … })`.
   *
   * @throws MillraceError whose `written` says whether the record may be in the log: `'no'` or `'unknown'`. A record
   * that cannot be encoded, is too large or names an unknown partition rejects only its own call.
   */
  publish<K, V>(topic: Target<K, V>, record: PublishRecord<NoInfer<K>, NoInfer<V>>): Promise<Published>;
  /**
   * Publishes records in one write. On the embedded log and in memory it is all or nothing; on Kafka it is batch by
   * batch. After every 2,000 records or 1 MiB the event loop runs before the next records are taken from the iterable,
   * so don't modify the records until the call resolves.
   *
   * All records are in memory at the same time: split large amounts into several calls. Together with records that are
   * already waiting, `maxBufferedBytes` applies (`ERR_BUFFER_FULL`); a call on its own may exceed it.
   *
   * @returns Where each record is, in the order given.
   * @throws as `publish`; if one record cannot be encoded, all are refused.
   */
  publishAll<K, V>(
    topic: Target<K, V>,
    records: Iterable<PublishRecord<NoInfer<K>, NoInfer<V>>>,
  ): Promise<readonly Published[]>;
  /**
   * Resolves when everything published so far has been acknowledged or refused; the promises of the calls say which.
   */
  flush(): Promise<void>;

  /**
   * Reads topics. Subscribe to the result, or loop over it with `for await`; nothing is read before that.
   *
   * - new records only: `client.records(orders)`
   * - everything, then new ones: `{ from: 'earliest' }`
   * - from an offset or a time: `{ from: { offset: 100 } }`, `{ from: { offsets: new Map([[0, 7], [1, 9]]) } }`,
   *   `{ from: { time: new Date('2026-01-01') } }`
   * - the existing records, then complete: `{ from: 'earliest', until: 'end' }`, or until an offset or a time
   * - chosen partitions: `{ partitions: [0, 2] }`
   * - as a member of a group: `{ group: 'billing' }`; with explicit commits: `{ group: 'billing', commit: 'explicit' }`
   *   and `record.commit()`
   * - several topics: `client.records([orders, refunds])`
   * - all topics that match a pattern, including those created later: `client.records(/^orders-/, { value: json() })`
   *
   * A topic that is found while a subscription is open is read from its first record (with `from: { time }` from that
   * time on; in a group from its committed offset, if there is one). A topic that exists at the start is read from
   * `from`.
   *
   * An endless subscription keeps the process alive until it is unsubscribed or the client is closed. Closing the
   * client completes endless subscriptions; one that has not reached its `until` fails with `ERR_CLOSED`.
   *
   * A group delivers at least once: records that were delivered but not committed when a member dies are delivered
   * again. If the subscription ends during the delivery of a record (`take(1)`, an operator that throws), that record
   * does not count as processed.
   *
   * @throws ConfigError `ERR_OPTION` for wrong or contradictory options. The Observable fails with a MillraceError:
   * `ERR_UNKNOWN_TOPIC`, `ERR_OFFSET_OUT_OF_RANGE` with the lost range, `ERR_DECODE` and similar codes with the
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

  /** Offsets by partition: the first one kept, the next one to be written, or the first one at or after a time. */
  offsets(topic: TopicName, query: OffsetQuery | { readonly time: Date }): Promise<PartitionOffsets>;
  /** The committed offsets of a group (the next offsets to read), for those partitions that have one. */
  committed(group: string, topic: TopicName): Promise<PartitionOffsets>;
  /** Sets the offsets of a group that has no members. @throws ConfigError `ERR_GROUP_ACTIVE` */
  setCommitted(group: string, topic: TopicName, offsets: PartitionOffsets | readonly number[]): Promise<void>;
  /**
   * How many offsets a group is behind the end, by partition; counted from the oldest record if it has no committed
   * offset. Offsets of transaction markers and compacted records count too, so this is an upper bound for the number of
   * records.
   */
  lag(group: string, topic: TopicName): Promise<PartitionOffsets>;

  /**
   * Ends all subscriptions with a last automatic commit, waits for records that are being published, and closes the
   * log. It takes at most `closeDeadline`; calls that are still waiting then reject with `ERR_CLOSE_DEADLINE`. A second
   * call waits for the first.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
