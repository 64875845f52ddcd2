import type { Duration } from './duration.ts';
import type { OptionNames } from './option-checks.ts';

/** How records on their way to topics are gathered into batches. Whoever takes these options names the defaults. @public */
export interface BatchOptions {
  /** How long a record may wait, when there is no other work, for more to share its batch. */
  readonly linger?: Duration;
  /** A batch is closed at this many bytes, counted before compression. */
  readonly bytes?: number;
  /** A batch is closed at this many records. */
  readonly count?: number;
}

export const BATCH_OPTIONS: OptionNames<BatchOptions> = { linger: true, bytes: true, count: true };
