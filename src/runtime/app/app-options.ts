import type { Clock } from '../../dataflow/clock.ts';
import type { Logger } from '../../log/logger.ts';
import type { BatchOptions } from '../../options/batch-options.ts';
import type { Duration } from '../../options/duration.ts';
import type { OptionNames } from '../../options/option-checks.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Compression } from '../../protocol/compression.ts';

/** How an application runs. @public */
export interface AppOptions {
  /** Name of the application. It identifies the committed offsets and the state: keep it across restarts. */
  readonly applicationId: string;
  /**
   * `'end'`: process the records that exist when the application starts, and their results, then stop. Without it, the
   * application runs until it is stopped.
   */
  readonly until?: 'end';
  /**
   * With `until: 'end'`: what to do with windows that are open at the end. `'keep'` (default) leaves them in their
   * stores for the next run; `'close'` declares the input complete and emits them, so that later records for them are
   * late.
   */
  readonly openWindows?: 'keep' | 'close';
  /**
   * How far ahead of the wall clock a record's timestamp may be (default: `'1h'`). A record beyond that fails with
   * `ERR_FUTURE_TIMESTAMP` and goes to the record policy without advancing stream time: otherwise one wrong clock would
   * close every window.
   */
  readonly maxFutureSkew?: Duration | 'unlimited';
  /**
   * After this long without a record, stream time follows the wall clock where something waits for it: windows close,
   * rows without a partner are emitted. By default this is off, and only records advance time. It applies to a task
   * once it has read all its inputs to the end and none of them has had a record for this long.
   */
  readonly idle?: Duration;
  /**
   * Where the first start on a topic begins (default: `'earliest'`). Partitions without a committed offset after that
   * were added later and are read from their first record.
   */
  readonly startFrom?: 'earliest' | 'latest';
  /** What to do with failed records, unless their topic has its own policy (default: `'fail'`). */
  readonly onRecordError?: RecordPolicy;
  /**
   * The longest time between commits while there is work (default: `'250ms'`, and up to a second while there is a
   * backlog; `'5s'` on Kafka with at-least-once). When the work is done, the application commits at once. If commits are
   * slow the interval grows, up to a second, so that they take at most a fifth of the time. Uncommitted work is redone after a crash; with atomic commits, readers see
   * outputs only after their commit.
   */
  readonly commitInterval?: Duration;
  /**
   * How sinks collect records into batches: `linger` (default `'0ms'`: finished work is committed as soon as there is
   * no other work), `bytes` (default 512 KiB, and at most the topic's `maxMessageBytes`), `count` (default unlimited).
   */
  readonly batch?: BatchOptions;
  /** Compression of what sinks write (default: `'lz4'` on the embedded log, `'none'` in memory). */
  readonly compression?: Compression;
  /** How many clean entries each store of a task keeps decoded in memory (default: 100,000). */
  readonly cacheEntries?: number;
  /**
   * How many bytes of clean entries all stores of the process together keep decoded in memory (default: 256 MiB). This
   * is estimated from the stored size of entries; changes between two commits come on top.
   */
  readonly cacheBytes?: number;
  /** How long a graceful stop may take (default: `'10s'`). */
  readonly stopDeadline?: Duration;
  /** Stops the application when aborted. */
  readonly signal?: AbortSignal;
  /** Where to log (default: nothing is logged). */
  readonly logger?: Logger;
  /** Source of time (default: the system clock). */
  readonly clock?: Clock;
}

export const APP_OPTIONS: OptionNames<AppOptions> = {
  applicationId: true,
  until: true,
  openWindows: true,
  maxFutureSkew: true,
  idle: true,
  startFrom: true,
  onRecordError: true,
  commitInterval: true,
  batch: true,
  compression: true,
  cacheEntries: true,
  cacheBytes: true,
  stopDeadline: true,
  signal: true,
  logger: true,
  clock: true,
};
