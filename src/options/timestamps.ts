import { ConfigError } from '../errors.ts';
import type { StreamRecord } from '../record.ts';
import { checkOneOf, type OptionNames } from './option-checks.ts';
import { checkWork } from './promises.ts';

/** What is known when a record gets its timestamp, beside the record. @public */
export interface TimestampContext {
  /** Highest timestamp that a record of the partition has had so far; −1 before the first one. */
  readonly partitionTime: number;
  /** What the clock says, in ms since 1970. Results that depend on it differ in a replay. */
  readonly now: number;
}

/**
 * Says when it happened what a record tells, in ms since 1970. `record.timestamp` is the one that it has in the topic.
 *
 * @public
 */
export type TimestampOf<K, V> = (value: V, record: StreamRecord<K, V>, context: TimestampContext) => number;

/**
 * What becomes of a record whose timestamp is no whole number from 0 on.
 *
 * - `record-policy` (default): it is a failure of the record (`ERR_TIMESTAMP`), which `onRecordError` decides about.
 * - `record-time`: it gets the timestamp that it has in the topic.
 * - `partition-time`: it gets the highest timestamp that a record of its partition has had so far.
 * - `wall-clock`: it gets the time at which it is read, so that a replay gives it another one.
 *
 * Where that is no timestamp either (`partition-time` before the first record that has one), it is a failure of the record.
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

/** @throws ConfigError `ERR_OPTION` where the records of a topic have no time, or keep the one that they have. */
export function refuseTimestamps(where: string, options: object, hint: string): void {
  const name = Object.keys(NAMES).find((each) => (options as Record<string, unknown>)[each] !== undefined);
  if (name !== undefined) throw new ConfigError('ERR_OPTION', `${where} has ${name}`, { hint });
}

/** Whether two declarations of a topic give its records the same timestamps. */
export function sameTimestamps(left: TimestampOptions, right: TimestampOptions): boolean {
  return left.timestamp === right.timestamp && left.onInvalidTimestamp === right.onInvalidTimestamp;
}
