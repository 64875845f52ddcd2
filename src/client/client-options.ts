import type { Clock } from '../dataflow/clock.ts';
import type { Logger } from '../log/logger.ts';
import { BATCH_OPTIONS, type BatchOptions } from '../options/batch-options.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import {
  checkClock,
  checkLogger,
  checkNames,
  checkOneOf,
  checkWhole,
  type OptionNames,
} from '../options/option-checks.ts';
import type { Compression } from '../protocol/compression.ts';

/** How a client works. @public */
export interface ClientOptions {
  /**
   * How published records are gathered into writes: `linger` (`'0ms'`: those published in the same turn of the event loop;
   * while one write is under way the next gathers in any case), `bytes` (1 MiB), `count` (10,000).
   */
  readonly batch?: BatchOptions;
  /** Compression of published batches (`'lz4'` on the embedded log for batches of 4 KiB and more, `'none'` in memory). */
  readonly compression?: Compression;
  /**
   * Bytes that may wait for their acknowledgement (256 MiB), with their headers. Beyond it `publish` and `publishAll` reject
   * with `ERR_BUFFER_FULL`, so that a loop that never awaits fails instead of filling the memory.
   */
  readonly maxBufferedBytes?: number;
  /** How long `close` waits for what is under way (`'10s'`). */
  readonly closeDeadline?: Duration;
  /** Where to log; nothing is logged without one. */
  readonly logger?: Logger;
  /** The machine's clock unless given. */
  readonly clock?: Clock;
}

/** The options of publishing with their defaults. */
export interface PublishLimits {
  readonly lingerMs: number;
  readonly batchBytes: number;
  readonly batchRecords: number;
  readonly maxBufferedBytes: number;
  readonly compression: Compression;
  /** Smaller batches are not compressed. */
  readonly compressFrom: number;
}

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];

export const CLIENT_OPTIONS: OptionNames<ClientOptions> = {
  batch: true,
  compression: true,
  maxBufferedBytes: true,
  closeDeadline: true,
  logger: true,
  clock: true,
};

/** @throws ConfigError `ERR_OPTION`, `ERR_DURATION` */
export function checkClientOptions(options: ClientOptions): void {
  checkOneOf('connect', 'compression', options.compression, COMPRESSIONS);
  checkWhole('connect', 'maxBufferedBytes', options.maxBufferedBytes, 1);
  durationMs(options.closeDeadline ?? '10s', 'closeDeadline');
  checkLogger('connect', options.logger);
  checkClock('connect', options.clock);
  const { batch = {} } = options;
  checkNames('connect: batch', batch, BATCH_OPTIONS);
  durationMs(batch.linger ?? '0ms', 'batch.linger');
  checkWhole('connect', 'batch.bytes', batch.bytes, 1);
  checkWhole('connect', 'batch.count', batch.count, 1);
}

/** @param kind - The transport's, which decides about compression. */
export function publishLimits(
  { batch = {}, compression, maxBufferedBytes }: ClientOptions,
  kind: string,
): PublishLimits {
  return {
    lingerMs: durationMs(batch.linger ?? '0ms', 'batch.linger'),
    batchBytes: batch.bytes ?? 1024 * 1024,
    batchRecords: batch.count ?? 10_000,
    maxBufferedBytes: maxBufferedBytes ?? 256 * 1024 * 1024,
    compression: compression ?? (kind === 'memory' ? 'none' : 'lz4'),
    compressFrom: compression === undefined ? 4096 : 0,
  };
}
