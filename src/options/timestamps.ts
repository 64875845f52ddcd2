import { ConfigError } from '../errors.ts';
import type { StreamRecord } from '../record.ts';
import { checkOneOf, type OptionNames } from './option-checks.ts';
import { checkWork } from './promises.ts';

/** What is known when a record gets its timestamp, besides the record. @public */
export interface TimestampContext {
  /** Highest timestamp of the partition's records so far; −1 before the first record. */
  readonly partitionTime: number;
  /** The current time, in ms since 1970. Results that depend on it differ in a replay. */
  readonly now: number;
}

/**
 * Returns the time of a record's event, in ms since 1970. `record.timestamp` is the timestamp in the topic.
 *
 * @public
 */
export type TimestampOf<K, V> = (value: V, record: StreamRecord<K, V>, context: TimestampContext) => number;

/**
 * What to do with a record whose timestamp is not a whole number, 0 or more.
 *
 * - `record-policy` (default): the record fails (`ERR_TIMESTAMP`), and `onRecordError` decides.
 * - `record-time`: it gets the timestamp from the topic.
 * - `partition-time`: it gets the highest timestamp of its partition's records so far.
 * - `wall-clock`: it gets the time at which it is read, so a replay gives it a different timestamp.
 *
 * If that is not a valid timestamp either (`partition-time` before the first valid record), the record fails.
 *
 * @public
 */
export type InvalidTimestampPolicy = 'record-policy' | 'record-time' | 'partition-time' | 'wall-clock';

/** How records of a source get their timestamps. */
export interface TimestampOptions {
  readonly timestamp?: TimestampOf<never, never>;
  readonly onInvalidTimestamp?: InvalidTimestampPolicy;
}

const POLICIES: readonly InvalidTimestampPolicy[] = ['record-policy', 'record-time', 'partition-time', 'wall-clock'];

const NAMES: OptionNames<TimestampOptions> = { timestamp: true, onInvalidTimestamp: true };

/** @throws ConfigError `ERR_OPTION`, `ERR_ASYNC_FUNCTION` */
export function checkTimestamps(where: string, { onInvalidTimestamp, timestamp }: TimestampOptions): void {
  if (timestamp !== undefined) checkWork(`${where}: timestamp`, timestamp, 'timestamp: (order) => order.at');
  checkOneOf(where, 'onInvalidTimestamp', onInvalidTimestamp, POLICIES);
  if (onInvalidTimestamp !== 'record-time' || timestamp !== undefined) return;
  throw new ConfigError('ERR_OPTION', `${where}: onInvalidTimestamp is 'record-time', but that is what is invalid`, {
    hint: "give the records timestamps by { timestamp: … }, or choose 'partition-time' or 'wall-clock'",
  });
}

/** @throws ConfigError `ERR_OPTION` for a topic whose records have no event time or must keep their timestamps. */
export function refuseTimestamps(where: string, options: object, hint: string): void {
  const name = Object.keys(NAMES).find((each) => (options as Record<string, unknown>)[each] !== undefined);
  if (name !== undefined) throw new ConfigError('ERR_OPTION', `${where} has ${name}`, { hint });
}

/** Whether two declarations of a topic give its records the same timestamps. */
export function sameTimestamps(left: TimestampOptions, right: TimestampOptions): boolean {
  return left.timestamp === right.timestamp && left.onInvalidTimestamp === right.onInvalidTimestamp;
}
