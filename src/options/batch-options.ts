import type { Duration } from './duration.ts';
import type { OptionNames } from './option-checks.ts';

/** How outgoing records are collected into batches. The documentation of each use has the defaults. @public */
export interface BatchOptions {
  /** How long a record may wait for others to share its batch while there is no other work. */
  readonly linger?: Duration;
  /** A batch is closed at this many bytes, counted before compression. */
  readonly bytes?: number;
  /** A batch is closed at this many records. */
  readonly count?: number;
}

export const BATCH_OPTIONS: OptionNames<BatchOptions> = { linger: true, bytes: true, count: true };
