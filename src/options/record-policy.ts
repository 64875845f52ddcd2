import { ConfigError } from '../errors.ts';
import { type Duration, durationMs } from './duration.ts';
import { checkNames, checkTopicName, type OptionNames, show } from './option-checks.ts';

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
 * @param topic - The dead-letter topic, or its name; created when it is missing.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`; `ERR_TOPIC_NAME` where the policy is used.
 * @public
 */
export function deadLetter(
  topic: string | { readonly name: string },
  options: DeadLetterOptions = {},
): DeadLetterPolicy {
  const name: unknown = typeof topic === 'object' && topic !== null ? topic.name : topic;
  if (typeof name !== 'string') {
    throw new ConfigError('ERR_OPTION', `deadLetter(…) was given ${show(topic)}`, {
      hint: "name the topic for dead letters: deadLetter('bad-orders')",
    });
  }
  checkNames('deadLetter', options, DEAD_LETTER_OPTIONS);
  const { retention } = options;
  checkRetention(retention);
  return retention === undefined ? { deadLetter: name } : { deadLetter: name, retention };
}

/** @throws ConfigError `ERR_OPTION`, `ERR_TOPIC_NAME`, `ERR_DURATION` for what is not a policy. */
export function checkPolicy(where: string, policy: unknown): void {
  if (policy === undefined || policy === 'fail' || policy === 'skip') return;
  if (typeof policy !== 'object' || policy === null || Array.isArray(policy)) {
    throw new ConfigError('ERR_OPTION', `${where}: onRecordError is ${show(policy)}`, {
      hint: "give one of 'fail', 'skip', deadLetter('topic')",
    });
  }
  checkNames(`${where}: onRecordError`, policy, POLICY_FIELDS);
  const { deadLetter: topic, retention } = policy as Partial<DeadLetterPolicy>;
  if (typeof topic !== 'string') {
    throw new ConfigError('ERR_OPTION', `${where}: onRecordError does not name a dead-letter topic`, {
      hint: "use deadLetter('topic')",
    });
  }
  checkTopicName(topic);
  checkRetention(retention);
}

function checkRetention(retention: Duration | 'unlimited' | undefined): void {
  if (retention !== undefined && retention !== 'unlimited') durationMs(retention, 'retention');
}

const POLICY_FIELDS: OptionNames<DeadLetterPolicy> = { deadLetter: true, retention: true };

const DEAD_LETTER_OPTIONS: OptionNames<DeadLetterOptions> = { retention: true };
