import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ConfigError, type ConnectOptions } from '../index.ts';

/** The flags that locate the log. */
export interface LocationFlags {
  readonly path?: string;
  readonly brokers?: string;
  readonly tls?: boolean;
  readonly tlsCa?: string;
  readonly sasl?: string;
  readonly saslUser?: string;
  readonly saslPasswordFile?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Adds the flags that locate the log. */
export function locationFlags(command: Command): Command {
  return command
    .option('--path <folder>', 'folder of an embedded log (MILLRACE_PATH; default .millrace)')
    .option(
      '-b, --brokers <list>',
      'brokers of a Kafka cluster: host:port, separated by commas (MILLRACE_BROKERS, KAFKA_BROKERS)',
    )
    .option('--tls', 'connect to the brokers with TLS (MILLRACE_TLS=1)')
    .option(
      '--tls-ca <file>',
      'certificate of the authority that signed the broker certificates, as PEM; implies --tls',
    )
    .option('--sasl <mechanism>', 'plain, scram-sha-256 or scram-sha-512 (MILLRACE_SASL_MECHANISM)')
    .option('--sasl-user <name>', 'user (MILLRACE_SASL_USERNAME)')
    .option(
      '--sasl-password-file <file>',
      'file with the password (MILLRACE_SASL_PASSWORD_FILE, or the password itself in MILLRACE_SASL_PASSWORD)',
    );
}

/** Whether flags or environment name the log. */
export function isNamed({ brokers, path }: LocationFlags, env: Environment): boolean {
  const variables = [env['MILLRACE_PATH'], env['MILLRACE_BROKERS'], env['KAFKA_BROKERS']];
  // An empty flag is a mistake and reported as one.
  return brokers !== undefined || path !== undefined || variables.some((text) => given(text) !== undefined);
}

/** Whether flags or environment say where the log is or how to connect to it. */
export function isLocated(flags: LocationFlags, env: Environment): boolean {
  const reached = [flags.tls, flags.tlsCa, flags.sasl, flags.saslUser, flags.saslPasswordFile];
  return isNamed(flags, env) || reached.some((flag) => flag !== undefined);
}

/**
 * Options of `connect`: flags take precedence over the environment, and the environment over defaults.
 *
 * @throws ConfigError `ERR_OPTION` for flags that contradict each other.
 */
export function location(flags: LocationFlags, env: Environment): ConnectOptions {
  const brokers =
    flags.brokers ?? (flags.path === undefined ? (env['MILLRACE_BROKERS'] ?? env['KAFKA_BROKERS']) : undefined);
  if (flags.brokers !== undefined && flags.path !== undefined) {
    throw new ConfigError('ERR_OPTION', '--path and --brokers are both given', {
      hint: 'a log is a folder or a cluster: leave one of them out',
    });
  }
  for (const [flag, given] of [
    ['--path', flags.path],
    ['--brokers', flags.brokers],
  ] as const) {
    if (given?.trim() !== '') continue;
    throw new ConfigError('ERR_OPTION', `${flag} is empty`, { hint: 'is an environment variable not set?' });
  }
  if (brokers === undefined || brokers === '') {
    const cluster = [flags.tls, flags.tlsCa, flags.sasl, flags.saslUser, flags.saslPasswordFile];
    if (cluster.some((flag) => flag !== undefined)) {
      throw new ConfigError('ERR_OPTION', 'TLS or SASL is given without brokers', {
        hint: 'name the cluster: --brokers host:port',
      });
    }
    return { path: flags.path ?? env['MILLRACE_PATH'] ?? '.millrace' };
  }
  const ssl = tls(flags, env);
  const user = sasl(flags, env);
  return {
    brokers: brokers.split(',').map(address),
    kafka: {
      clientId: 'millrace-cli',
      ...(ssl === undefined ? {} : { ssl }),
      ...(user === undefined ? {} : { sasl: user }),
    },
  };
}

function address(text: string): string {
  const broker = text.trim();
  if (/^(?:\[[^\]]+\]|[^:/\s]+):\d{1,5}$/.test(broker)) return broker;
  throw new ConfigError('ERR_OPTION', `${JSON.stringify(broker)} is not a broker address`, {
    hint: 'give host:port, such as localhost:9092, and several with commas',
  });
}

function tls({ tls: wanted, tlsCa }: LocationFlags, env: Environment): true | { ca: string } | undefined {
  if (tlsCa !== undefined) return { ca: readText('--tls-ca', tlsCa) };
  const ca = given(env['MILLRACE_TLS_CA']);
  if (ca !== undefined) return { ca: readText('MILLRACE_TLS_CA', ca) };
  return wanted === true || isOn('MILLRACE_TLS', env['MILLRACE_TLS']) ? true : undefined;
}

const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** @throws ConfigError `ERR_OPTION` for ambiguous values */
function isOn(variable: string, text: string = ''): boolean {
  if (/^(?:1|true)$/i.test(text)) return true;
  if (/^(?:|0|false)$/i.test(text)) return false;
  throw new ConfigError('ERR_OPTION', `${variable} is ${JSON.stringify(text)}`, { hint: 'set it to 1, or to nothing' });
}

type Sasl = NonNullable<NonNullable<ConnectOptions['kafka']>['sasl']>;

const MECHANISMS: readonly Sasl['mechanism'][] = ['plain', 'scram-sha-256', 'scram-sha-512'];

function sasl(flags: LocationFlags, env: Environment): Sasl | undefined {
  const mechanism = flags.sasl ?? given(env['MILLRACE_SASL_MECHANISM']);
  if (mechanism === undefined) {
    const user = [flags.saslUser, flags.saslPasswordFile, given(env['MILLRACE_SASL_USERNAME'])];
    if (user.every((each) => each === undefined)) return undefined;
    throw new ConfigError('ERR_OPTION', 'a SASL user is given without a mechanism', {
      hint: `give --sasl, or MILLRACE_SASL_MECHANISM: one of ${MECHANISMS.join(', ')}`,
    });
  }
  const known = MECHANISMS.find((each) => each === mechanism.toLowerCase());
  if (known === undefined) {
    throw new ConfigError('ERR_OPTION', `there is no SASL mechanism ${JSON.stringify(mechanism)}`, {
      hint: `use one of ${MECHANISMS.join(', ')}`,
    });
  }
  const file = flags.saslPasswordFile ?? env['MILLRACE_SASL_PASSWORD_FILE'];
  const password =
    file === undefined ? env['MILLRACE_SASL_PASSWORD'] : readText('--sasl-password-file', file).trimEnd();
  const username = flags.saslUser ?? env['MILLRACE_SASL_USERNAME'];
  if (username === undefined || password === undefined) {
    throw new ConfigError(
      'ERR_OPTION',
      `SASL needs a user and a password, and ${username === undefined ? 'the user' : 'the password'} is missing`,
      {
        hint: 'give --sasl-user and --sasl-password-file, or MILLRACE_SASL_USERNAME and MILLRACE_SASL_PASSWORD',
      },
    );
  }
  return { mechanism: known, username, password };
}

function readText(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ConfigError('ERR_OPTION', `${flag}: ${file} cannot be read`, { cause, hint: 'check the path' });
  }
}
