import type { Headers } from '../../record.ts';

/** A record to publish. @public */
export interface PublishRecord<K, V> {
  /** Required if the topic has a key serde, unless that is `nullable(…)`. */
  readonly key?: K | undefined;
  /** Null deletes the key from tables and compacted topics (a tombstone). */
  readonly value: V | null;
  /** Event time in ms since the epoch, a whole number (default: the time of the call). */
  readonly timestamp?: number | undefined;
  readonly headers?: Headers | undefined;
  /**
   * The partition (default: determined by the key, by murmur2 as in Kafka's clients; without a key, the partitions in
   * turn).
   */
  readonly partition?: number | undefined;
}

/** The place of an acknowledged record. @public */
export interface Published {
  readonly topic: string;
  readonly partition: number;
  /** −1 if the broker recognised a duplicate and did not say where the original is. */
  readonly offset: number;
  /** The timestamp that was written. */
  readonly timestamp: number;
}
