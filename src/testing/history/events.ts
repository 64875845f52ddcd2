/** Whether something took place: it did, it certainly did not, or nobody knows. @public */
export type Outcome = 'ok' | 'failed' | 'unknown';

/** What tells a record from all others of its topic: put it into the value or a header, such as a number or a UUID. @public */
export type HistoryId = string | number;

/**
 * A record that was written, when its fate was known.
 *
 * @public
 */
export interface PublishedEvent {
  readonly type: 'published';
  readonly topic: string;
  readonly id: HistoryId;
  /** `ok` (default): acknowledged, or its transaction was committed. `failed`: refused, or its transaction was aborted. */
  readonly outcome?: Outcome;
  /** Who wrote it. With a writer, its events stand in the order in which it wrote, and that order is checked. */
  readonly writer?: string;
  /** The key, as text or number. Order is checked for each key; without one, for each partition. */
  readonly key?: string | number | null;
  /** The place that the acknowledgement named. */
  readonly partition?: number;
  readonly offset?: number;
}

/** A record that an application processed, with what it wrote for it, when the commit of both was known. @public */
export interface ProcessedEvent {
  readonly type: 'processed';
  /** The record that was processed. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Which process did it. */
  readonly by?: string;
  /** `ok` (default): the offset is committed. `failed`: the transaction was aborted, or the process lost its partition. */
  readonly outcome?: Outcome;
  /** What was written for it in the same transaction. */
  readonly outputs?: readonly { readonly topic: string; readonly id: HistoryId }[];
}

/** A reader begins at an offset of a partition, or begins again there: after a restart, a rebalance or a seek. @public */
export interface AssignedEvent {
  readonly type: 'assigned';
  readonly reader: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A record that a reader was given, in the order in which it was. @public */
export interface ReadEvent {
  readonly type: 'read';
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: HistoryId;
  /** Who read it; `reader` unless given. A reader without an {@link AssignedEvent} has begun at the start. */
  readonly reader?: string;
}

/** Something that happened to a record. @public */
export type HistoryEvent = PublishedEvent | ProcessedEvent | AssignedEvent | ReadEvent;

/**
 * What can be wrong with a history.
 *
 * - `lost write`: an acknowledged record that readers, or the application, have passed without getting it.
 * - `unseen`: an acknowledged record that nobody has read, without proof that it is not still to come.
 * - `duplicate`: one record at two offsets, or one input whose processing was committed twice.
 * - `aborted read`: a record that was read although its writing had failed.
 * - `invented`: a record that was read and that nobody has written.
 * - `inconsistent offsets`: two records that were seen at one offset.
 * - `non-monotonic poll`: a reader that went back, or got one offset twice, without having begun again.
 * - `order violated`: two records of a writer and a key that stand the other way around in the log.
 *
 * @public
 */
export type AnomalyKind =
  | 'lost write'
  | 'unseen'
  | 'duplicate'
  | 'aborted read'
  | 'invented'
  | 'inconsistent offsets'
  | 'non-monotonic poll'
  | 'order violated';

/** Something that is wrong with a history, with the fewest events that show it. @public */
export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly topic: string;
  /** What happened, as a sentence. */
  readonly message: string;
  /** In the order in which they happened. */
  readonly evidence: readonly HistoryEvent[];
}
