import { ConfigError } from '../errors.ts';
import { type Duration, durationMs } from './duration.ts';
import { checkNames, checkTopicName, type OptionNames, show } from './option-checks.ts';

/**
 * What to do with a record that cannot be decoded, is refused by its schema, makes user code throw, or is too large to
 * write.
 *
 * The policy also applies to an unreadable batch: all of its offsets are skipped and counted, or the whole batch
 * becomes the value of one dead letter.
 *
 * - `fail` (default): the application stops with the error; work after the last commit has no effect.
 * - `skip`: the record is skipped and counted.
 * - `deadLetter(topic)`: the unchanged record is written to a topic, with headers that say why it failed, and counted.
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
  /** How long a newly created topic keeps its letters (default: `'unlimited'`). An existing topic is not changed. */
  readonly retention?: Duration | 'unlimited';
}

/**
 * A policy that writes failing records to a topic: the original key and value bytes, the original headers, and headers
 * `millrace.error.*` and `millrace.origin.*` with the error and the origin of the record. The timestamp is the time of
 * the failure. A row emitted by a closing window is written with its own key and value, and `millrace.row.*` instead of
 * `millrace.origin.*`. A value that is too large for the topic is cut, with `millrace.origin.value.size` and
 * `millrace.origin.value.sha256` of the whole value (likewise for `key`). The write is part of the stage: the record's
 * offset is committed only once the dead letter is acknowledged.
 *
 * @param topic - The dead-letter topic, or its name; created if missing.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`; `ERR_TOPIC_NAME` when the policy is used.
 * @example A value that is not JSON
 * ```ts
 * import { deadLetter, filterValues, json, string, to, topic } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const orders = topic('orders', { key: string(), value: json<{ amount: number }>() });
 * const large = topic('large-orders', { key: string(), value: json<{ amount: number }>() });
 * const driver = new TestDriver(orders.pipe(filterValues(({ amount }) => amount >= 100), to(large)), {
 *   onRecordError: deadLetter('bad-orders', { retention: '30d' }),
 * });
 * driver.pipe(topic('orders', { key: string(), value: string() }), { key: 'ada', value: '{"amount": ' });
 * driver.pipe(orders, { key: 'bob', value: { amount: 250 } });
 * console.log(driver.read(large).map(({ key }) => key).join());
 * // => bob
 * console.log(driver.deadLetters.map(({ topic, code }) => `${topic} ${code}`).join());
 * // => bad-orders ERR_DECODE
 * ```
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
