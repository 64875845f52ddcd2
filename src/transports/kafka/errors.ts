import { ConfigError, type ErrorClass, type ErrorDetails, FatalError, MillraceError } from '../../errors.ts';
import type { TopicPartition } from '../../log/transport.ts';
import { Code, codeClass, codeName } from './error-codes.ts';
import { BadFrame } from './frame-reader.ts';

/** An error response of a broker. */
export class KafkaError extends MillraceError {
  override readonly name = 'KafkaError';
  /** The error code in Kafka's protocol. */
  readonly kafkaCode: number;

  constructor(errorClass: ErrorClass, code: string, message: string, kafkaCode: number, details?: ErrorDetails) {
    super(errorClass, code, message, details);
    this.kafkaCode = kafkaCode;
  }
}

/** Kafka's error code, if the error came from a broker. */
export const kafkaCodeOf = (error: unknown): number | undefined =>
  error instanceof KafkaError ? error.kafkaCode : undefined;

/** The resource that needs a permission, by error code. */
const DENIED: Readonly<Record<number, string>> = {
  29: 'topic',
  30: 'group',
  31: 'cluster',
  53: 'transactional id',
};

/** Hints for errors that are not self-explanatory. */
const HINTS: Readonly<Record<number, string>> = {
  19: 'too few replicas of the partition are up to accept a write: bring brokers back; or the partition is busy with the previous transaction',
  26: 'use a sessionTimeoutMs between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers',
  32: 'the topic refuses timestamps that far from the clock of the broker: see its message.timestamp.after.max.ms',
  38: 'there are fewer brokers than default.replication.factor',
  50: 'use a transactionTimeoutMs of at most transaction.max.timeout.ms of the brokers',
};

/**
 * The error for a protocol error code.
 *
 * @param doing - What was attempted, as in "could not …".
 * @param resource - The resource, for permission errors.
 */
export function kafkaError(kafkaCode: number, doing: string, resource = '', details: ErrorDetails = {}): KafkaError {
  const name = codeName(kafkaCode);
  const denied = DENIED[kafkaCode];
  if (denied !== undefined) {
    const what = resource === '' ? denied : `${denied} "${resource}"`;
    return new KafkaError('fatal', 'ERR_NOT_AUTHORIZED', `Not allowed to ${doing}: ${what}`, kafkaCode, {
      ...details,
      hint: `grant the user of this application the permission on the ${what}`,
    });
  }
  if (kafkaCode === Code.FENCED_INSTANCE_ID) {
    return new KafkaError(
      'fatal',
      'ERR_INSTANCE_FENCED',
      `Could not ${doing}: another member has the same instanceId`,
      82,
      {
        ...details,
        hint: 'give each process its own instanceId',
      },
    );
  }
  const hint = HINTS[kafkaCode];
  return new KafkaError(
    codeClass(kafkaCode),
    `ERR_KAFKA_${name}`,
    `Could not ${doing}: Kafka says ${name}`,
    kafkaCode,
    {
      ...(hint === undefined ? {} : { hint }),
      ...details,
    },
  );
}

/** A network failure: the request may or may not have been executed. */
export function connectionError(address: string, why: string, details: ErrorDetails = {}): MillraceError {
  return new MillraceError('retriable', 'ERR_CONNECTION', `Kafka broker ${address}: ${why}`, details);
}

/** There was no response within the request timeout. */
export function requestTimeout(address: string, request: string, ms: number): MillraceError {
  return new MillraceError(
    'retriable',
    'ERR_REQUEST_TIMEOUT',
    `Kafka broker ${address}: no answer to ${request} in ${ms} ms`,
  );
}

/** The error for work of a generation that is over for its member. */
export function staleWork(groupId: string, generation: number, why: string): MillraceError {
  return new MillraceError('migrated', 'ERR_STALE_GENERATION', `Group "${groupId}": generation ${generation} ${why}`, {
    hint: 'none of it was written; the member that has the tasks now repeats it from the committed offsets',
    written: 'no',
  });
}

/** The error for a request that was held back, because its admission must be checked first. */
export function notAdmitted(address: string, request: string): MillraceError {
  return new MillraceError('retriable', 'ERR_REBALANCING', `Kafka broker ${address}: ${request} was held back`, {
    written: 'no',
  });
}

/** A user function blocked the process for so long that the member has left the group. */
export function tooLong(groupId: string, blockedMs: number, limitMs: number): MillraceError {
  const what = `synchronous work blocked the process for more than ${limitMs} ms, so it has left the group`;
  return new MillraceError('migrated', 'ERR_MAX_POLL_INTERVAL', `Group "${groupId}": ${what} (after ${blockedMs} ms)`, {
    hint: 'do less work per record, do it in a worker thread behind mapAsync, or raise maxPollIntervalMs',
    written: 'no',
  });
}

/** The coordinator has not answered yet whether the member is still one. */
export function unknownYet(groupId: string, trouble: MillraceError | undefined): MillraceError {
  const why = trouble === undefined ? 'it is rebalancing' : trouble.message;
  return new MillraceError('retriable', 'ERR_REBALANCING', `Group "${groupId}": not known to be a member: ${why}`, {
    written: 'no',
    ...(trouble === undefined ? {} : { cause: trouble }),
  });
}

/** The group is rebalancing, so nothing can be written or committed now. */
export function rebalancing(groupId: string): MillraceError {
  return new MillraceError('retriable', 'ERR_REBALANCING', `Group "${groupId}" is rebalancing`);
}

/** Records that were read are no longer in the log, or were replaced by others. */
export function logTruncated({ topic, partition }: TopicPartition, from: number, to: number): FatalError {
  return new FatalError(
    'ERR_LOG_TRUNCATED',
    `Offsets ${from} to ${to} were read, and have been lost since, or replaced by other records`,
    {
      topic,
      partition,
      offset: from,
      lastOffset: to,
      hint:
        'a broker that lacked them became the leader (unclean leader election, or a lost disk): results made from them ' +
        `stay; to read the records there now, set the committed offset to ${from}`,
    },
  );
}

/** Converts anything thrown while reading a partition into an error. */
export function fetchFailed({ partition, topic }: TopicPartition, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('fatal', 'ERR_FETCH', `Fetching failed: ${String(cause)}`, { topic, partition, cause });
}

/** The time for retries is over. */
export function exhausted(doing: string, ms: number, last: MillraceError, details: ErrorDetails = {}): MillraceError {
  return new MillraceError(
    'retriable-exhausted',
    'ERR_TIMEOUT',
    `Could not ${doing} within ${ms} ms; the last failure: ${withoutHint(last)}`,
    { cause: last, hint: last.hint ?? 'check that the brokers are up and reachable', ...details },
  );
}

/** What an error says, without what to do. */
function withoutHint({ hint, message }: MillraceError): string {
  const end = ` – ${hint}`;
  return message.endsWith(end) ? message.slice(0, -end.length) : message;
}

/** Whether an error means that the coordinator has moved to another broker. */
export function movedCoordinator(error: unknown): boolean {
  const code = kafkaCodeOf(error);
  if (code !== undefined) return code === 15 || code === Code.NOT_COORDINATOR;
  return error instanceof MillraceError && (error.code === 'ERR_CONNECTION' || error.code === 'ERR_REQUEST_TIMEOUT');
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The error for a failed connection. Brokers hang up on clients that speak another protocol. */
export function connectFailure(address: string, cause: unknown, ssl: boolean, sasl: string | undefined): MillraceError {
  const { code, type } = cause as { readonly code?: unknown; readonly type?: unknown };
  const text = textOf(cause);
  const details = { cause };
  if (cause instanceof BadFrame) return badAnswer(address, cause, ssl);
  if (ssl && (code === 'EPROTO' || /before secure TLS connection|wrong version number|packet length/.test(text))) {
    return new ConfigError('ERR_TLS_REFUSED', `${address} does not speak TLS: ${text}`, {
      ...details,
      hint: 'leave ssl out, or use the address of a listener with TLS',
    });
  }
  if (ssl && typeof code === 'string' && /CERT|SIGNATURE|ALTNAME|ISSUER|SELF_SIGNED|VERIFY/.test(code)) {
    return new FatalError('ERR_TLS_CERTIFICATE', `The certificate of ${address} is not trusted: ${text} (${code})`, {
      ...details,
      hint: 'give the authority that signed it in ssl.ca, and use the host name that is in the certificate',
    });
  }
  if (sasl !== undefined && (/SASL|authentication/i.test(text) || type === 'SASL_AUTHENTICATION_FAILED')) {
    return authenticationFailure(address, cause, sasl);
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return connectionError(address, `there is no host of that name (${code})`, {
      ...details,
      hint: 'check the spelling of the host, and that it resolves on this machine',
    });
  }
  if (code === 'ECONNREFUSED') {
    return connectionError(address, 'nothing listens on that port (ECONNREFUSED)', {
      ...details,
      hint: 'check the port, and that the broker is up',
    });
  }
  return connectionError(address, text, details);
}

/** The error for a response that is not Kafka's. */
function badAnswer(address: string, cause: BadFrame, ssl: boolean): MillraceError {
  const { speaker, message } = cause;
  if (speaker === undefined) return connectionError(address, `it sent ${message}`, { cause });
  if (speaker.protocol === 'TLS' && !ssl) {
    return new ConfigError('ERR_TLS_REQUIRED', `${address} speaks TLS, but the client sent plain text`, {
      cause,
      hint: 'set ssl, or use the address of a listener without TLS',
    });
  }
  const details = speaker.protocol === 'HTTP' ? '' : ` (${message})`;
  return new ConfigError('ERR_NOT_KAFKA', `${address} ${speaker.says}, not Kafka${details}`, {
    cause,
    hint: 'give the address of a Kafka listener; this one is of another service',
  });
}

function authenticationFailure(address: string, cause: unknown, mechanism: string): MillraceError {
  const text = textOf(cause);
  const offered = /mechanisms?[^[]*\[?([A-Z0-9, -]+)\]?/.exec(text)?.[1];
  const unsupported = /does not support|unsupported|not enabled/i.test(text);
  return new FatalError(
    unsupported ? 'ERR_SASL_MECHANISM' : 'ERR_SASL',
    unsupported
      ? `${address} does not offer the SASL mechanism ${mechanism}: ${text}`
      : `${address} refused the ${mechanism} credentials: ${text}`,
    {
      cause,
      hint: unsupported
        ? `use a mechanism that the broker offers${offered === undefined ? '' : `: ${offered.trim()}`}`
        : 'check the user name and the password, and that the user exists for this mechanism',
    },
  );
}
