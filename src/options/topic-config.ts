import type { OptionNames } from './option-checks.ts';

/** Configuration of a topic. Fields left out take the default in parentheses. @public */
export interface TopicConfig {
  /** `delete` removes old records by `retention*`; `compact` keeps the newest record of each key (`delete`). */
  readonly cleanup?: 'delete' | 'compact' | 'compact,delete';
  /** How long records are kept, in milliseconds of record time; −1 forever (7 days, as Kafka). */
  readonly retentionMs?: number;
  /** How many bytes a partition may hold before its oldest batches go; −1 unlimited (−1). */
  readonly retentionBytes?: number;
  /** Largest record batch in bytes, after compression (1 MiB). */
  readonly maxMessageBytes?: number;
  /**
   * How long a record of a compacted topic stays after it was written although a newer one has its key, in milliseconds, so
   * that readers that rest see it (a day; on Kafka the broker's default, 0, and a day for tables that are created).
   */
  readonly minCompactionLagMs?: number;
  /**
   * Marks a topic that an application has made for itself alone, whose records it removes when it has read them.
   *
   * @internal
   */
  readonly owner?: string;
  /**
   * Marks a topic that an application both writes and reads, and whose records it keeps: no other application may do both.
   *
   * @internal
   */
  readonly claim?: string;
  /**
   * How long the record of a deletion stays in a compacted topic, in milliseconds (a day). Left out where it is that.
   *
   * @internal
   */
  readonly tombstoneMs?: number;
}

type Internal = 'claim' | 'owner' | 'tombstoneMs';

/** A configuration with all of its settings. @public */
export type FullTopicConfig = Required<Omit<TopicConfig, Internal>> & Pick<TopicConfig, Internal>;

/** How long the record of a deletion stays in a compacted topic unless it is said: a day, as Kafka. */
export const TOMBSTONE_MS: number = 24 * 60 * 60 * 1000;

/** Settings that a user may give. */
export const TOPIC_CONFIG: OptionNames<Omit<TopicConfig, Internal>> = {
  cleanup: true,
  retentionMs: true,
  retentionBytes: true,
  maxMessageBytes: true,
  minCompactionLagMs: true,
};
