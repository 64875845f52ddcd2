import { ConfigError, type ErrorClass, type ErrorDetails, FatalError, MillraceError } from '../../errors.ts';
import type { TopicPartition } from '../../log/transport.ts';
import { Code, codeClass, codeName } from './error-codes.ts';
import { BadFrame } from './frame-reader.ts';

/** An error that a broker answered with. */
export class KafkaError extends MillraceError {
  override readonly name = 'KafkaError';
  /** The number of the error in Kafka's protocol. */
  readonly kafkaCode: number;

  constructor(errorClass: ErrorClass, code: string, message: string, kafkaCode: number, details?: ErrorDetails) {
    super(errorClass, code, message, details);
    this.kafkaCode = kafkaCode;
  }
}

/** Kafka's number of an error, if it came from a broker. */
export const kafkaCodeOf = (error: unknown): number | undefined =>
  error instanceof KafkaError ? error.kafkaCode : undefined;

/** What needs a permission, by the code of its refusal. */
const DENIED: Readonly<Record<number, string>> = {
  29: 'topic',
  30: 'group',
  31: 'cluster',
  53: 'transactional id',
};

/** What to do about errors that say too little by themselves. */
const HINTS: Readonly<Record<number, string>> = {
  19: 'too few replicas of the partition are up to accept a write: bring brokers back; or the partition is busy with the previous transaction',
  26: 'use a sessionTimeoutMs between group.min.session.timeout.ms and group.max.session.timeout.ms of the brokers',
  32: 'the topic refuses timestamps that far from the clock of the broker: see its message.timestamp.after.max.ms',
  38: 'there are fewer brokers than default.replication.factor',
  50: 'use a transactionTimeoutMs of at most transaction.max.timeout.ms of the brokers',
};

/**
 * The error for a code of the protocol.
 *
 * @param doing - What was tried, as in "could not …".
 * @param resource - What it was tried on, for errors of permission.
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

/** Network trouble: the request may or may not have been carried out. */
export function connectionError(address: string, why: string, details: ErrorDetails = {}): MillraceError {
  return new MillraceError('retriable', 'ERR_CONNECTION', `Kafka broker ${address}: ${why}`, details);
}

/** No answer within the time that a request may take. */
export function requestTimeout(address: string, request: string, ms: number): MillraceError {
  return new MillraceError(
    'retriable',
    'ERR_REQUEST_TIMEOUT',
    `Kafka broker ${address}: no answer to ${request} in ${ms} ms`,
  );
}

/** Work of a generation that is over for the member that did it. */
export function staleWork(groupId: string, generation: number, why: string): MillraceError {
  return new MillraceError('migrated', 'ERR_STALE_GENERATION', `Group "${groupId}": generation ${generation} ${why}`, {
    hint: 'none of it was written; the member that has the tasks now repeats it from the committed offsets',
    written: 'no',
  });
}

/** A request was not sent, because what allows it has to be looked into first. */
export function notAdmitted(address: string, request: string): MillraceError {
  return new MillraceError('retriable', 'ERR_REBALANCING', `Kafka broker ${address}: ${request} was held back`, {
    written: 'no',
  });
}

/** A function of the user kept the process from everything else for so long that the member has left. */
export function tooLong(groupId: string, blockedMs: number, limitMs: number): MillraceError {
  const what = `synchronous work blocked the process for more than ${limitMs} ms, so it has left the group`;
  return new MillraceError('migrated', 'ERR_MAX_POLL_INTERVAL', `Group "${groupId}": ${what} (after ${blockedMs} ms)`, {
    hint: 'do less work per record, do it in a worker thread behind mapAsync, or raise maxPollIntervalMs',
    written: 'no',
  });
}

/** The coordinator was asked whether a member still is one, and has not said. */
export function unknownYet(groupId: string, trouble: MillraceError | undefined): MillraceError {
  const why = trouble === undefined ? 'it is rebalancing' : trouble.message;
  return new MillraceError('retriable', 'ERR_REBALANCING', `Group "${groupId}": not known to be a member: ${why}`, {
    written: 'no',
    ...(trouble === undefined ? {} : { cause: trouble }),
  });
}

/** Not the time to write or to commit: it is being decided who has which task. */
export function rebalancing(groupId: string): MillraceError {
  return new MillraceError('retriable', 'ERR_REBALANCING', `Group "${groupId}" is rebalancing`);
}

/** Records that were read are no longer in the log, or others lie in their place. */
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

/** Why a partition cannot be read, whatever was thrown. */
export function fetchFailed({ partition, topic }: TopicPartition, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('fatal', 'ERR_FETCH', `Fetching failed: ${String(cause)}`, { topic, partition, cause });
}

/** Something was tried again and again, and the time for it is over. */
export function exhausted(doing: string, ms: number, last: MillraceError, details: ErrorDetails = {}): MillraceError {
  return new MillraceError(
    'retriable-exhausted',
    'ERR_TIMEOUT',
    `Could not ${doing} within ${ms} ms; the last failure: ${last.message}`,
    { cause: last, hint: 'check that the brokers are up and reachable', ...details },
  );
}

/** Whether an error says that the group or the transactional id has moved to another broker. */
export function movedCoordinator(error: unknown): boolean {
  const code = kafkaCodeOf(error);
  if (code !== undefined) return code === 15 || code === Code.NOT_COORDINATOR;
  return error instanceof MillraceError && (error.code === 'ERR_CONNECTION' || error.code === 'ERR_REQUEST_TIMEOUT');
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** What to do about a connection that could not be made. Brokers hang up on clients that speak another protocol. */
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

/** What answered is not Kafka, or not any more. */
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
