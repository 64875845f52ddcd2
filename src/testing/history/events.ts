/** Whether something happened: yes, certainly not, or unknown. @public */
export type Outcome = 'ok' | 'failed' | 'unknown';

/** Identifies a record within its topic, such as a number or a UUID in the value or a header. @public */
export type HistoryId = string | number;

/**
 * A record was written. Add the event once the outcome is known.
 *
 * @public
 */
export interface PublishedEvent {
  readonly type: 'published';
  readonly topic: string;
  readonly id: HistoryId;
  /** `ok` (default): acknowledged, or its transaction was committed. `failed`: refused, or its transaction was aborted. */
  readonly outcome?: Outcome;
  /** Who wrote it. The events of a writer must be in the order of its writes, and that order is checked. */
  readonly writer?: string;
  /** The key, as a string or number. Order is checked per key; without a key, per partition. */
  readonly key?: string | number | null;
  /** The place that the acknowledgement named. */
  readonly partition?: number;
  readonly offset?: number;
}

/**
 * A record was processed by an application, with its outputs. Add the event once the outcome of the commit is known.
 * @public
 */
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

/**
 * A reader starts, or restarts, at an offset of a partition: after a start, a restart, a rebalance or a seek. @public
 */
export interface AssignedEvent {
  readonly type: 'assigned';
  readonly reader: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A reader received a record; events are in the order of delivery. @public */
export interface ReadEvent {
  readonly type: 'read';
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly id: HistoryId;
  /** Who read it (default: `reader`). A reader without an {@link AssignedEvent} started at the beginning. */
  readonly reader?: string;
}

/** Something that happened to a record. @public */
export type HistoryEvent = PublishedEvent | ProcessedEvent | AssignedEvent | ReadEvent;

/**
 * The kinds of anomalies in a history.
 *
 * - `lost write`: an acknowledged record that a reader or the application has passed without receiving it.
 * - `unseen`: an acknowledged record that nobody has read, or processed where nobody reads, but which may still be
 * delivered.
 * - `duplicate`: one record at two offsets, by reads or acknowledgements, or one input whose processing was committed
 * twice.
 * - `aborted read`: a record that was read although its writing had failed.
 * - `invented`: a record that was read but that nobody has written.
 * - `inconsistent offsets`: two records that were seen at the same offset.
 * - `non-monotonic poll`: a reader that went back, also behind where it was assigned, or received one offset twice,
 * without being reassigned.
 * - `order violated`: two records of one writer and key that are in reverse order in the log.
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

/** An anomaly of a history, with the fewest events that show it. @public */
export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly topic: string;
  /** What happened, as a sentence. */
  readonly message: string;
  /** In the order of the history. */
  readonly evidence: readonly HistoryEvent[];
}
