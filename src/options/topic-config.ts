import { ConfigError } from '../errors.ts';
import { durationMs } from './duration.ts';
import { type OptionNames, show } from './option-checks.ts';

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

/** The least value of each amount, and what it is of. */
const AMOUNTS = [
  ['retentionMs', -1, 'milliseconds, or -1 for no limit'],
  ['retentionBytes', -1, 'bytes, or -1 for no limit'],
  ['minCompactionLagMs', 0, 'milliseconds'],
  ['maxMessageBytes', 1, 'a positive number of bytes'],
] as const;

/**
 * Checks what a configuration says; names are checked elsewhere.
 *
 * @param where - What it is of: `topic orders`.
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

/** A duration as it is written elsewhere, in milliseconds. */
function spelledOut(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return durationMs(value as never, 'duration');
  } catch {
    return undefined;
  }
}
