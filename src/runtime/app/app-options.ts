import type { Clock } from '../../dataflow/clock.ts';
import type { Logger } from '../../log/logger.ts';
import type { BatchOptions } from '../../options/batch-options.ts';
import type { Duration } from '../../options/duration.ts';
import type { OptionNames } from '../../options/option-checks.ts';
import type { RecordPolicy } from '../../options/record-policy.ts';
import type { Compression } from '../../protocol/compression.ts';

/** How an application runs. @public */
export interface AppOptions {
  /**
   * Names the application: its committed offsets and its state are found by it. Keep it over restarts.
   */
  readonly applicationId: string;
  /**
   * `'end'`: process what is there when the application starts, and what comes of it, then stop. Left out: run until
   * stopped.
   */
  readonly until?: 'end';
  /**
   * With `until: 'end'`: what happens to windows that are open at the end. `'keep'` (default) leaves them in their stores
   * for the next run; `'close'` declares the input complete and emits them, so that later records for them are late.
   */
  readonly openWindows?: 'keep' | 'close';
  /**
   * How far ahead of the wall clock a record's timestamp may lie (`'1h'`). A record beyond it fails with
   * `ERR_FUTURE_TIMESTAMP` and goes to the record policy, without moving stream time: one wrong clock would otherwise close
   * every window.
   */
  readonly maxFutureSkew?: Duration | 'unlimited';
  /**
   * After so long without a record, stream time goes on with the wall clock where something waits for it: windows close,
   * rows without a partner come. Off when left out: then only records move time. A task waits until it has read
   * all its inputs to the end, and nothing has come from any of them for so long.
   */
  readonly idle?: Duration;
  /**
   * Where the first start on a topic begins (`'earliest'`). Whatever of it has no committed offset after that has come
   * later, such as partitions that were added, and is read from its first record.
   */
  readonly startFrom?: 'earliest' | 'latest';
  /** What happens to records that fail, unless their topic says otherwise (`'fail'`). */
  readonly onRecordError?: RecordPolicy;
  /**
   * The longest time between commits while there is work (`'250ms'`; `'5s'` on Kafka at least once). When there is none
   * the application commits at once. While commits are slow the interval grows, up to a second, so that they take a
   * fifth of the time at most. What was not committed is processed again after a crash, and where commits are atomic it is
   * seen by readers only after its commit.
   */
  readonly commitInterval?: Duration;
  /**
   * How sinks gather records into batches: `linger` (`'0ms'`: what is done is committed as soon as there is no other work),
   * `bytes` (512 KiB, and at most the topic's `maxMessageBytes`), `count` (unlimited).
   */
  readonly batch?: BatchOptions;
  /** Compression of what sinks write (`'lz4'` on the embedded log, `'none'` in memory). */
  readonly compression?: Compression;
  /** Entries that a store keeps decoded in memory per task when they are clean (100,000). */
  readonly cacheEntries?: number;
  /**
   * Bytes that all stores of the process keep decoded in memory together, when they are clean (256 MiB). They are estimated
   * by what entries take when they are stored; what changes between two commits comes on top.
   */
  readonly cacheBytes?: number;
  /** How long a graceful stop may take (`'10s'`). */
  readonly stopDeadline?: Duration;
  /** Stops the application when aborted. */
  readonly signal?: AbortSignal;
  /** Where to log. */
  readonly logger?: Logger;
  /** The machine's clock unless given. */
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
