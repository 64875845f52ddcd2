import type { Duration } from '../../options/duration.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Serde } from '../../serdes/serde.ts';

/**
 * Where reading begins.
 *
 * - `'latest'` (default): with what is written after the subscription.
 * - `'earliest'`: with the oldest record kept.
 * - `{ offset }`: at this offset of every partition read.
 * - `{ offsets }`: at these offsets, by partition; a partition that is not named begins with its oldest record.
 * - `{ time }`: with the first record at or after a time (ms since the epoch, or a Date).
 *
 * @public
 */
export type ReadFrom =
  | 'earliest'
  | 'latest'
  | { readonly offset: number }
  | { readonly offsets: ReadonlyMap<number, number> | readonly number[] }
  | { readonly time: number | Date };

/**
 * Where reading ends; left out it does not.
 *
 * - `'end'`: with the last record that is there at the subscription.
 * - `{ offset }`, `{ offsets }`: before this offset; waits for records that are not yet written. With `offsets`, a
 *   partition that is not named ends with its last record.
 * - `{ time }`: before the first record at or after a time; where there is none yet, with the last record.
 *
 * @public
 */
export type ReadUntil =
  | 'end'
  | { readonly offset: number }
  | { readonly offsets: ReadonlyMap<number, number> | readonly number[] }
  | { readonly time: number | Date };

/** What every way of reading takes. @public */
export interface ReadOptions {
  /**
   * Where to begin (`'latest'`); in a group, where its first start on a topic begins. Whatever of the topic it has committed
   * nothing of after that has come later, and is read from its first record, by a time from that time.
   */
  readonly from?: ReadFrom;
  /** Where to end; left out the subscription stays open, and keeps the process alive as an open socket does. */
  readonly until?: ReadUntil;
  /** The partitions to read; all by default, also those that are added later. Not together with `group`. */
  readonly partitions?: readonly number[];
  /**
   * What happens to a record that cannot be decoded: `'fail'` ends the subscription with the error, `'skip'` leaves it
   * out, `deadLetter(topic)` writes it to a topic first. By default as the topic says, else `'fail'`.
   */
  readonly onRecordError?: RecordPolicy;
  /**
   * What happens when the records to be read next have been removed: `'fail'` (default) ends the subscription with the
   * lost range, `'earliest'` and `'latest'` go on from there.
   */
  readonly outOfRange?: 'fail' | 'earliest' | 'latest';
  /** `'committed'` (default): records of aborted or open transactions are never seen. */
  readonly isolation?: 'committed' | 'uncommitted';
  /**
   * How often an endless subscription looks for new partitions and, with a pattern, new topics, that others have added:
   * `'5s'` on Kafka, `'500ms'` on other logs. Those that this client adds are found at once.
   */
  readonly metadataMaxAge?: Duration;
  /** Ends the subscription with `signal.reason` when aborted. */
  readonly signal?: AbortSignal;
  /**
   * Reads as a member of a group: its members share the partitions, each of which goes on at the group's committed offset.
   */
  readonly group?: string;
  /**
   * Who commits in a group. `'auto'` (default): the client, every `commitInterval` and at the end, what has been
   * delivered: a record counts when the subscriber has returned from it, in a `for await` loop when the next is asked
   * for. `'explicit'`: the program, with `record.commit()`.
   */
  readonly commit?: 'auto' | 'explicit';
  /** The longest time between automatic commits (`'1s'`). */
  readonly commitInterval?: Duration;
}

/** Reading with the program committing. @public */
export interface ExplicitReadOptions extends ReadOptions {
  readonly group: string;
  readonly commit: 'explicit';
}

/** How records of topics that are known only by a pattern are decoded. @public */
export interface PatternOptions<K, V> {
  /** Left out: records are read without a key. */
  readonly key?: Serde<K>;
  readonly value: Serde<V>;
}
