import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ConfigError } from '../index.ts';
import { meant } from '../options/nearest.ts';

/** The project file that says where the log is. */
const CONFIG_FILE = 'millrace.config.json';

type Environment = Readonly<Record<string, string | undefined>>;

/** A setting: its name in the file, and its environment variables. The first variable that is set counts. */
export interface Setting {
  readonly name: string;
  readonly variables: readonly string[];
  readonly secret?: true;
  /** Whether it is a path, which is relative to the folder of the file. */
  readonly path?: true;
  readonly default?: string;
}

export const SETTINGS: readonly Setting[] = [
  { name: 'path', variables: ['MILLRACE_PATH'], path: true, default: '.millrace' },
  { name: 'brokers', variables: ['MILLRACE_BROKERS', 'KAFKA_BROKERS'] },
  { name: 'tls', variables: ['MILLRACE_TLS'] },
  { name: 'tlsCa', variables: ['MILLRACE_TLS_CA'], path: true },
  { name: 'sasl', variables: ['MILLRACE_SASL_MECHANISM'] },
  { name: 'saslUser', variables: ['MILLRACE_SASL_USERNAME'] },
  { name: 'saslPasswordFile', variables: ['MILLRACE_SASL_PASSWORD_FILE'], path: true },
  { name: 'saslPassword', variables: ['MILLRACE_SASL_PASSWORD'], secret: true },
];

/** The settings of a project file, by name. */
export interface Config {
  readonly file: string;
  readonly values: ReadonlyMap<string, string>;
}

/**
 * Reads the project file for a folder: the nearest one upwards, up to the folder of a `package.json`.
 *
 * @throws ConfigError `ERR_CONFIG_FILE`
 */
export function readConfig(folder: string): Config | undefined {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const file = join(at, CONFIG_FILE);
    if (existsSync(file)) return { file, values: valuesOf(file) };
    if (existsSync(join(at, 'package.json')) || dirname(at) === at) return undefined;
  }
}

function valuesOf(file: string): ReadonlyMap<string, string> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw wrong(file, `it is not JSON: ${(cause as Error).message}`, 'such as { "path": "data" }', cause);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw wrong(file, 'it is not an object', 'such as { "path": "data" }');
  }
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(parsed)) {
    const setting = SETTINGS.find((each) => each.name === name);
    if (setting?.secret === true) {
      throw wrong(
        file,
        `${name} must not be in it`,
        'name a file with saslPasswordFile, or set MILLRACE_SASL_PASSWORD',
      );
    }
    if (setting === undefined) {
      const names = SETTINGS.filter(({ secret }) => secret !== true).map((each) => each.name);
      throw wrong(file, `there is no setting ${name}`, meant(name, names));
    }
    values.set(name, textOf(file, setting, value));
  }
  return values;
}

function textOf(file: string, { name, path }: Setting, value: unknown): string {
  if (Array.isArray(value) && name === 'brokers' && value.every((each) => typeof each === 'string'))
    return value.join(',');
  if (name === 'tls' && typeof value === 'boolean') return value ? '1' : '';
  if (typeof value !== 'string' || name === 'tls')
    throw wrong(file, `${name} is ${JSON.stringify(value)}`, 'give a string');
  return path === true ? resolve(dirname(file), value) : value;
}

/**
 * The environment, with missing values filled in from the project file. A log named in the environment takes
 * precedence: a path there overrides brokers in the file.
 */
export function withConfig(env: Environment, config: Config | undefined): Environment {
  if (config === undefined) return env;
  const located = ['MILLRACE_PATH', 'MILLRACE_BROKERS', 'KAFKA_BROKERS'].some((name) => isSet(env[name]));
  const merged: Record<string, string | undefined> = { ...env };
  for (const { name, variables } of SETTINGS) {
    const value = config.values.get(name);
    const [variable] = variables;
    if (value === undefined || variable === undefined || variables.some((each) => isSet(env[each]))) continue;
    if (located && (name === 'path' || name === 'brokers')) continue;
    merged[variable] = value;
  }
  return merged;
}

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '';

function wrong(file: string, message: string, hint: string, cause?: unknown): ConfigError {
  return new ConfigError('ERR_CONFIG_FILE', `${file}: ${message}`, { hint, cause });
}
