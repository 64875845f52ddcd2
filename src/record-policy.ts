import { type Duration, durationMs } from './duration.ts';
import { checkNames, type OptionNames } from './option-checks.ts';

/**
 * What happens to a record that cannot be decoded, is refused by its schema, makes user code throw, or is too large to
 * write.
 *
 * It decides about a batch that cannot be read too: all of its offsets are passed over, and counted, or the whole batch is the
 * value of one dead letter.
 *
 * - `fail` (default): the application stops with the error; nothing after the last commit counts.
 * - `skip`: the record is left out and counted.
 * - `deadLetter(topic)`: the record is written untouched to a topic, with headers that say why, and counted.
 *
 * @public
 */
export type RecordPolicy = 'fail' | 'skip' | DeadLetterPolicy;

/** @public */
export interface DeadLetterPolicy {
  readonly deadLetter: string;
  readonly retention?: Duration | 'unlimited';
}

/** @public */
export interface DeadLetterOptions {
  /** How long the topic keeps its letters, where it is created (`'unlimited'`). A topic that exists stays as it is. */
  readonly retention?: Duration | 'unlimited';
}

/**
 * The policy that writes failing records to a topic: key and value bytes as they were, the original headers, and headers
 * `millrace.error.*` and `millrace.origin.*` that tell the error and where the record came from. Its timestamp is the time of
 * the failure. A row that a closing window emitted is written with its own key and value, and `millrace.row.*` instead of
 * `millrace.origin.*`. What is too large for the topic is cut to a head, with `millrace.origin.value.size` and
 * `millrace.origin.value.sha256` of the whole (`key` likewise). The write belongs to the stage: the record's offset is
 * committed only when the dead letter is acknowledged.
 *
 * @param topic - Name of the dead-letter topic; created when it is missing.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`
 * @public
 */
export function deadLetter(topic: string, options: DeadLetterOptions = {}): DeadLetterPolicy {
  checkNames('deadLetter', options, DEAD_LETTER_OPTIONS);
  const { retention } = options;
  if (retention === undefined) return { deadLetter: topic };
  if (retention !== 'unlimited') durationMs(retention, 'retention');
  return { deadLetter: topic, retention };
}

const DEAD_LETTER_OPTIONS: OptionNames<DeadLetterOptions> = { retention: true };
