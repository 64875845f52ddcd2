import type { Duration } from '../../options/duration.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Serde } from '../../serdes/serde.ts';

/**
 * Where reading begins.
 *
 * - `'latest'` (default): with the first record written after the subscription.
 * - `'earliest'`: with the oldest record kept.
 * - `{ offset }`: at this offset in every partition.
 * - `{ offsets }`: at these offsets, by partition; an unlisted partition begins with its oldest record.
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
 * Where reading ends. Without it, reading does not end.
 *
 * - `'end'`: after the last record that exists at the time of the subscription.
 * - `{ offset }`, `{ offsets }`: before this offset; waits for records that are not written yet. With `offsets`, an
 *   unlisted partition ends after its last record.
 * - `{ time }`: before the first record at or after a time; if there is none yet, after the last record.
 *
 * @public
 */
export type ReadUntil =
  | 'end'
  | { readonly offset: number }
  | { readonly offsets: ReadonlyMap<number, number> | readonly number[] }
  | { readonly time: number | Date };

/** Options for all ways of reading. @public */
export interface ReadOptions {
  /**
   * Where to begin (default: `'latest'`). In a group this applies to the group's first start on a topic. Partitions
   * that later have no committed offset were added since, and are read from their first record, or, with a time, from
   * that time.
   */
  readonly from?: ReadFrom;
  /** Where to end. Without it, the subscription stays open and keeps the process alive like an open socket. */
  readonly until?: ReadUntil;
  /** The partitions to read (default: all, including those added later). Excludes `group`. */
  readonly partitions?: readonly number[];
  /**
   * What to do with a record that cannot be decoded: `'fail'` ends the subscription with the error, `'skip'` skips it,
   * `deadLetter(topic)` writes it to a topic first (default: the policy of the topic, else `'fail'`).
   */
  readonly onRecordError?: RecordPolicy;
  /**
   * What to do if the next records to read have been removed: `'fail'` (default) ends the subscription with an error
   * that has the lost range; `'earliest'` and `'latest'` continue from there.
   */
  readonly outOfRange?: 'fail' | 'earliest' | 'latest';
  /** `'committed'` (default): records of aborted or open transactions are not delivered. */
  readonly isolation?: 'committed' | 'uncommitted';
  /**
   * How often an endless subscription looks for partitions and, with a pattern, topics that others have added (default:
   * `'5s'` on Kafka, `'500ms'` on other logs). Those that this client adds are found at once.
   */
  readonly metadataMaxAge?: Duration;
  /** Ends the subscription with `signal.reason` when aborted. */
  readonly signal?: AbortSignal;
  /**
   * Reads as a member of a group: its members share the partitions, and each partition continues at the group's
   * committed offset.
   */
  readonly group?: string;
  /**
   * Who commits in a group. `'auto'` (default): the client commits processed records, every `commitInterval` and at the
   * end. A record counts as processed when the subscriber has returned from it, or, in a `for await` loop, when the
   * next record is requested. `'explicit'`: the program commits, with `record.commit()`.
   */
  readonly commit?: 'auto' | 'explicit';
  /** The longest time between automatic commits (default: `'1s'`). */
  readonly commitInterval?: Duration;
}

/** Options for reading with explicit commits. @public */
export interface ExplicitReadOptions extends ReadOptions {
  readonly group: string;
  readonly commit: 'explicit';
}

/** How to decode the records of topics that match a pattern. @public */
export interface PatternOptions<K, V> {
  /** Without it, records are read without a key. */
  readonly key?: Serde<K>;
  readonly value: Serde<V>;
}
