import type { Headers } from '../../record.ts';

/** A record to be published. @public */
export interface PublishRecord<K, V> {
  /** Needed where the topic has a key serde that is not `nullable(…)`. */
  readonly key?: K | undefined;
  /** Null deletes the key from tables and compacted topics (a tombstone). */
  readonly value: V | null;
  /** Event time in ms since the epoch, a whole number; the time of the call by default. */
  readonly timestamp?: number | undefined;
  readonly headers?: Headers | undefined;
  /** The partition; by default that of the key (murmur2, as Kafka's clients), without a key one after the other. */
  readonly partition?: number | undefined;
}

/** Where an acknowledged record is. @public */
export interface Published {
  readonly topic: string;
  readonly partition: number;
  /** −1 when the broker recognised a repetition and did not say where the first one is. */
  readonly offset: number;
  /** The timestamp that was written. */
  readonly timestamp: number;
}
