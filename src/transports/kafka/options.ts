import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '../../errors.ts';
import {
  checkLogger,
  checkNames,
  checkOneOf,
  checkText,
  checkWhole,
  type OptionNames,
} from '../../options/option-checks.ts';
import type { OpenLocalStores } from '../../state/byte-store.ts';
import { DEFAULT_UNPACKED_BYTES } from '../local/unpack-budget.ts';
import { type Logger, noLogger } from './logger.ts';

/** Credentials of a user. @public */
export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

/** How to connect to a Kafka cluster, and the delivery guarantee. @public */
export interface KafkaOptions {
  /** Addresses of some of the brokers, as `host:port`; the others are discovered through them. */
  readonly brokers: readonly string[];
  /** The name of this application in the logs and quotas of the brokers (default: `millrace`). */
  readonly clientId?: string;
  /** TLS: `true` to trust Node's certificate authorities, or options of Node's `tls.connect`. */
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SaslOptions;
  /**
   * `'at-least-once'` (default): outputs are acknowledged before offsets are committed. `'exactly-once'`: outputs and
   * offsets of a commit are one Kafka transaction.
   */
  readonly guarantee?: 'at-least-once' | 'exactly-once';
  /**
   * Opens the stores of this process, such as `localStores(path)` of `millrace/embedded` (default: in memory). An
   * application restores them from its changelogs.
   */
  readonly stores?: OpenLocalStores;
  /** How long a member of a group may be silent before its tasks move to others, in ms (default: 10,000). */
  readonly sessionTimeoutMs?: number;
  /** Heartbeat interval of a member, in ms (default: 1,000). Rebalances are noticed within this time. */
  readonly heartbeatIntervalMs?: number;
  /**
   * How long a function of the pipeline may block the process, in ms (default: 300,000). Until then another thread
   * sends heartbeats; after that the member leaves its group, and the application reports why.
   */
  readonly maxPollIntervalMs?: number;
  /**
   * How long members may take to commit before their tasks move to others, in ms (default: `maxPollIntervalMs`, because
   * a blocked member cannot commit).
   */
  readonly rebalanceTimeoutMs?: number;
  /** After how long the brokers abort a transaction whose process is gone, in ms (default: 10,000). */
  readonly transactionTimeoutMs?: number;
  /** How long a write is retried before it fails, in ms (default: 120,000). */
  readonly deliveryTimeoutMs?: number;
  /** How long a request may take, in ms (default: 30,000). */
  readonly requestTimeoutMs?: number;
  /** How long the first connection may take, including retries, in ms (default: 5,000). */
  readonly connectTimeoutMs?: number;
  /** Bytes of unacknowledged outputs above which `send` waits (default: 32 MiB). */
  readonly maxBufferedBytes?: number;
  /**
   * Bytes that decoded batches of all transports in this process may take, in addition to 1 MiB per partition (default:
   * 128 MiB). A batch that does not fit is delivered in parts; one that unpacks to more than half of the limit is
   * refused.
   */
  readonly maxUnpackedBytes?: number;
  /**
   * A name of this process that stays the same across restarts (static membership): its tasks wait for it for a session
   * timeout instead of moving. No two processes may have the same name.
   */
  readonly instanceId?: string;
  readonly logger?: Logger | false;
}

/** The options with defaults applied. */
export interface KafkaSettings {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly ssl: ConnectionOptions | undefined;
  readonly sasl: SaslOptions | undefined;
  readonly exactlyOnce: boolean;
  readonly stores: OpenLocalStores | undefined;
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly maxPollIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly transactionTimeoutMs: number;
  readonly deliveryTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly maxBufferedBytes: number;
  readonly maxUnpackedBytes: number;
  readonly instanceId: string | null;
  readonly logger: Logger;
}

const WHERE = 'Kafka';
export const KAFKA_OPTIONS: OptionNames<KafkaOptions> = {
  brokers: true,
  clientId: true,
  ssl: true,
  sasl: true,
  guarantee: true,
  stores: true,
  sessionTimeoutMs: true,
  heartbeatIntervalMs: true,
  maxPollIntervalMs: true,
  rebalanceTimeoutMs: true,
  transactionTimeoutMs: true,
  deliveryTimeoutMs: true,
  requestTimeoutMs: true,
  connectTimeoutMs: true,
  maxBufferedBytes: true,
  maxUnpackedBytes: true,
  instanceId: true,
  logger: true,
};
const SASL_OPTIONS: OptionNames<SaslOptions> = { mechanism: true, username: true, password: true };
const MECHANISMS: readonly SaslOptions['mechanism'][] = ['plain', 'scram-sha-256', 'scram-sha-512'];

function wrong(option: string, value: unknown, hint: string): ConfigError {
  return new ConfigError('ERR_OPTION', `${WHERE}: ${option} is ${JSON.stringify(value)}`, { hint });
}

function checkSasl(sasl: SaslOptions): void {
  checkNames(`${WHERE}: sasl`, sasl, SASL_OPTIONS);
  if (!MECHANISMS.includes(sasl.mechanism)) {
    throw wrong('sasl.mechanism', sasl.mechanism, `use one of ${MECHANISMS.join(', ')}`);
  }
  for (const name of ['username', 'password'] as const) {
    if (typeof sasl[name] === 'string' && sasl[name] !== '') continue;
    // The value is not shown: it may be part of a secret.
    throw new ConfigError('ERR_OPTION', `${WHERE}: sasl.${name} is empty, or no text`, {
      hint: `give the ${name} as a text; if it comes from the environment, check that it is set there`,
    });
  }
}

const PEMS = ['ca', 'cert', 'key'] as const;

/**
 * Checks certificates early: OpenSSL's error for a path instead of a certificate comes late and does not mention paths.
 */
function checkTls(ssl: boolean | ConnectionOptions): void {
  if (typeof ssl === 'boolean') return;
  if (typeof ssl !== 'object' || ssl === null) throw wrong('ssl', ssl, 'give true, or options of TLS: { ca }');
  for (const name of PEMS) {
    for (const each of [ssl[name]].flat()) {
      const text =
        typeof each === 'string' ? each : each instanceof Uint8Array ? Buffer.from(each).toString('latin1') : '';
      if (text === '' || text.includes('-----BEGIN ')) continue;
      // It is not shown: it may be a key.
      throw new ConfigError('ERR_OPTION', `${WHERE}: ssl.${name} is not in the form of PEM`, {
        hint: `give what is in the file, not its path: { ${name}: await readFile('…') }`,
      });
    }
  }
}

/** Checks the options and applies defaults. @throws ConfigError `ERR_OPTION` for an invalid value. */
export function kafkaSettings(options: KafkaOptions): KafkaSettings {
  checkNames(WHERE, options, KAFKA_OPTIONS);
  checkLogger(WHERE, options.logger);
  checkText(WHERE, 'clientId', options.clientId);
  checkText(WHERE, 'instanceId', options.instanceId);
  const { brokers, guarantee = 'at-least-once', ssl } = options;
  if (!Array.isArray(brokers) || brokers.length === 0) throw wrong('brokers', brokers, 'give at least one "host:port"');
  for (const address of brokers) {
    if (parseAddress(address) === undefined)
      throw wrong('a broker', address, 'give "host:port", such as "localhost:9092"');
  }
  checkOneOf(WHERE, 'guarantee', guarantee, ['at-least-once', 'exactly-once']);
  const { sasl } = options;
  if (sasl !== undefined) checkSasl(sasl);
  if (ssl !== undefined) checkTls(ssl);
  const ms = (name: keyof KafkaOptions, value: number | undefined, standard: number): number => {
    if (value === undefined) return standard;
    checkWhole(WHERE, name, value, 1);
    return value;
  };
  const sessionTimeoutMs = ms('sessionTimeoutMs', options.sessionTimeoutMs, 10_000);
  const heartbeatIntervalMs = ms('heartbeatIntervalMs', options.heartbeatIntervalMs, 1000);
  const maxPollIntervalMs = ms('maxPollIntervalMs', options.maxPollIntervalMs, 300_000);
  if (heartbeatIntervalMs * 2 > sessionTimeoutMs) {
    throw wrong(
      'heartbeatIntervalMs',
      heartbeatIntervalMs,
      `use at most half of sessionTimeoutMs, ${sessionTimeoutMs}`,
    );
  }
  return {
    brokers,
    clientId: options.clientId ?? 'millrace',
    ssl: ssl === true ? {} : ssl === false ? undefined : ssl,
    sasl,
    exactlyOnce: guarantee === 'exactly-once',
    stores: options.stores,
    sessionTimeoutMs,
    heartbeatIntervalMs,
    maxPollIntervalMs,
    rebalanceTimeoutMs: ms('rebalanceTimeoutMs', options.rebalanceTimeoutMs, maxPollIntervalMs),
    transactionTimeoutMs: ms('transactionTimeoutMs', options.transactionTimeoutMs, 10_000),
    deliveryTimeoutMs: ms('deliveryTimeoutMs', options.deliveryTimeoutMs, 120_000),
    requestTimeoutMs: ms('requestTimeoutMs', options.requestTimeoutMs, 30_000),
    connectTimeoutMs: ms('connectTimeoutMs', options.connectTimeoutMs, 5000),
    maxBufferedBytes: ms('maxBufferedBytes', options.maxBufferedBytes, 32 * 1024 * 1024),
    maxUnpackedBytes: ms('maxUnpackedBytes', options.maxUnpackedBytes, DEFAULT_UNPACKED_BYTES),
    instanceId: options.instanceId ?? null,
    logger: options.logger || noLogger,
  };
}

/** Host and port of an address; `undefined` for anything else. */
export function parseAddress(address: string): { readonly host: string; readonly port: number } | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:/\s]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}
