import { systemClock } from '../../dataflow/clock.ts';
import type { OpenProgress } from '../../log/transport.ts';
import type { Durability } from '../../options/durability.ts';
import { checkNames, checkOneOf, checkWhole, type OptionNames, requireText } from '../../options/option-checks.ts';
import type { EmbeddedLogTransport } from './embedded-log-transport.ts';
import { openEnvironment } from './environment.ts';
import { EmbeddedTransport } from './folder-transport.ts';

/** @public */
export interface EmbeddedOptions {
  /**
   * The folder of the log; created if missing, unless `create` is false. It must be on a local disk: LMDB is not safe
   * on a network file system.
   */
  readonly path: string;
  /**
   * Whether to create a log in a folder without one (default: true). With false, `ERR_NO_LOG` is thrown and nothing is
   * created.
   */
  readonly create?: boolean;
  /**
   * When a write is acknowledged. `fsync` (default): once it is on disk. `commit`: once it survives the end of this
   * process, but not of the machine. `memory`: at once and without any order on the disk, for tests only.
   */
  readonly durability?: Durability;
  /** Limit for the size of the data file, in bytes; writes beyond it fail with `ERR_DISK_FULL` (default: none). */
  readonly maxBytes?: number;
  /** How often retention and compaction run, in ms (default: 60,000). They also run soon after opening. */
  readonly maintenanceMs?: number;
  /**
   * Takes over an application even if its process is alive (default: false), for a process that hangs and cannot be
   * stopped. Any later commit of that process is refused.
   */
  readonly takeOver?: boolean;
  /** The clock for retention, in ms since the epoch (default: `Date.now`). */
  readonly now?: () => number;
}

const EMBEDDED_OPTIONS: OptionNames<EmbeddedOptions> = {
  path: true,
  create: true,
  durability: true,
  maxBytes: true,
  maintenanceMs: true,
  takeOver: true,
  now: true,
};

/**
 * Runs pipelines on a log in one folder: no broker, durable, with exactly-once commits. Several processes may use the
 * folder at once; one of them runs a given application, the others publish, read and inspect.
 *
 * The returned function rejects with a StoreError: `ERR_STORE_PERMISSION`, `ERR_NOT_A_LOG`, `ERR_STORE_VERSION`,
 * `ERR_CORRUPT_LOG`, `ERR_DISK_FULL`, `ERR_STORE_LOCKED`, `ERR_NO_LOG`.
 *
 * @public
 */
export function embeddedTransport(
  options: EmbeddedOptions,
): (progress?: OpenProgress) => Promise<EmbeddedLogTransport> {
  checkNames('embeddedTransport', options, EMBEDDED_OPTIONS);
  requireText('embeddedTransport', 'path', options.path);
  checkOneOf('embeddedTransport', 'durability', options.durability, ['fsync', 'commit', 'memory']);
  checkWhole('embeddedTransport', 'maxBytes', options.maxBytes, 1);
  checkWhole('embeddedTransport', 'maintenanceMs', options.maintenanceMs, 1);
  return async ({ waiting } = {}) =>
    new EmbeddedTransport(
      await openEnvironment({
        path: options.path,
        create: options.create ?? true,
        durability: options.durability ?? 'fsync',
        maxBytes: options.maxBytes ?? Number.POSITIVE_INFINITY,
        maintenanceMs: options.maintenanceMs ?? 60_000,
        now: options.now ?? (() => systemClock.now()),
        ...(waiting === undefined ? {} : { waiting }),
      }),
      options.takeOver ?? false,
    );
}
