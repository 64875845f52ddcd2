import { ConfigError } from '../errors.ts';
import { durationMs } from './duration.ts';
import { type OptionNames, show } from './option-checks.ts';

/** Configuration of a topic. Missing fields have the default in parentheses. @public */
export interface TopicConfig {
  /** `delete` removes old records by `retention*`; `compact` keeps the newest record of each key (`delete`). */
  readonly cleanup?: 'delete' | 'compact' | 'compact,delete';
  /** How long records are kept, in ms of record time; −1 for ever (7 days, as in Kafka). */
  readonly retentionMs?: number;
  /** How many bytes a partition may hold before its oldest batches are removed; −1 for no limit (−1). */
  readonly retentionBytes?: number;
  /** Largest record batch in bytes, after compression (1 MiB). */
  readonly maxMessageBytes?: number;
  /**
   * How long after it was written a record of a compacted topic is kept even if a newer one has its key, in ms, so that
   * stopped readers can still see it (a day; on Kafka the broker's default of 0, and a day for tables that are
   * created).
   */
  readonly minCompactionLagMs?: number;
  /**
   * Marks a topic that an application has created for itself alone, and whose records it removes after reading them.
   *
   * @internal
   */
  readonly owner?: string;
  /**
   * Marks a topic that an application both writes and reads, and whose records it keeps. No other application may do
   * both.
   *
   * @internal
   */
  readonly claim?: string;
  /**
   * How long a tombstone stays in a compacted topic, in ms (a day). Missing if it is the default.
   *
   * @internal
   */
  readonly tombstoneMs?: number;
  /**
   * Whether the log replaces the timestamps of records that are written to the topic (`LogAppendTime` of Kafka). Missing if it
   * keeps them.
   *
   * @internal
   */
  readonly restamps?: boolean;
}

type Internal = 'claim' | 'owner' | 'restamps' | 'tombstoneMs';

/** A configuration with all of its settings. @public */
export type FullTopicConfig = Required<Omit<TopicConfig, Internal>> & Pick<TopicConfig, Internal>;

/** Default time that a tombstone stays in a compacted topic: a day, as in Kafka. */
export const TOMBSTONE_MS: number = 24 * 60 * 60 * 1000;

/** The settings that users may give. */
export const TOPIC_CONFIG: OptionNames<Omit<TopicConfig, Internal>> = {
  cleanup: true,
  retentionMs: true,
  retentionBytes: true,
  maxMessageBytes: true,
  minCompactionLagMs: true,
};

/** The smallest value of each amount, and its unit. */
const AMOUNTS = [
  ['retentionMs', -1, 'milliseconds, or -1 for no limit'],
  ['retentionBytes', -1, 'bytes, or -1 for no limit'],
  ['minCompactionLagMs', 0, 'milliseconds'],
  ['maxMessageBytes', 1, 'a positive number of bytes'],
] as const;

/**
 * Checks the values of a configuration; names are checked elsewhere.
 *
 * @param where - What the configuration belongs to: `topic orders`.
 * @throws ConfigError `ERR_TOPIC_CONFIG`
 */
export function checkTopicConfig(where: string, config: TopicConfig, topic?: string): void {
  const refuse = (field: keyof TopicConfig, rule: string): never => {
    throw new ConfigError('ERR_TOPIC_CONFIG', `${where}: ${field} is ${show(config[field])}`, {
      ...(topic === undefined ? {} : { topic }),
      hint: `${field} must be ${rule}`,
    });
  };
  if (config.cleanup !== undefined && !['delete', 'compact', 'compact,delete'].includes(config.cleanup)) {
    refuse('cleanup', '"delete", "compact" or "compact,delete"');
  }
  for (const [field, least, rule] of AMOUNTS) {
    const value: unknown = config[field];
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) continue;
    const ms = field.endsWith('Ms') ? spelledOut(value) : undefined;
    refuse(field, ms === undefined ? rule : `a number, as the log has it: ${ms} for ${show(value)}`);
  }
}

/** The ms of a value that is written as a duration, as in other options. */
function spelledOut(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return durationMs(value as never, 'duration');
  } catch {
    return undefined;
  }
}
