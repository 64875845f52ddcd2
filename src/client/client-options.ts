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

/** Options of a client. @public */
export interface ClientOptions {
  /**
   * How published records are batched into writes: `linger` (default `'0ms'`: those published in the same turn of the
   * event loop; while a write is in progress, the next batch collects in any case), `bytes` (default 1 MiB), `count`
   * (default 10,000).
   */
  readonly batch?: BatchOptions;
  /**
   * Compression of published batches (default: `'lz4'` on the embedded log for batches of 4 KiB and more, `'none'` in
   * memory).
   */
  readonly compression?: Compression;
  /**
   * The most bytes that may wait for acknowledgement, including headers (default: 256 MiB). Beyond that, `publish` and
   * `publishAll` reject with `ERR_BUFFER_FULL`, so that a loop that never awaits fails instead of exhausting memory.
   */
  readonly maxBufferedBytes?: number;
  /** How long `close` waits for unfinished work (default: `'10s'`). */
  readonly closeDeadline?: Duration;
  /** Where to log (default: nothing is logged); `false` is the default too. */
  readonly logger?: Logger | false;
  /** Source of time (default: the system clock). */
  readonly clock?: Clock;
}

/** The options for publishing, with defaults applied. */
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

/** @param kind - The kind of the transport, which determines the default compression. */
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
