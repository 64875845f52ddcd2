import { basename, extname } from 'node:path';
import { ConfigError, type LogLevel, type LogLocation, type RunOptions } from '../index.ts';
import { durationMs } from '../options/duration.ts';
import { isLocated, isNamed, type LocationFlags, location } from './location.ts';
import type { PipelineFile } from './pipeline-file.ts';

/** Flags of `run` and `dev`. */
export interface RunFlags extends LocationFlags {
  readonly app?: string;
  readonly exitOnEnd?: boolean;
  readonly closeWindows?: boolean;
  readonly from?: 'earliest' | 'latest';
  readonly guarantee?: 'at-least-once' | 'exactly-once';
  readonly stateDir?: string;
  readonly idle?: string;
  readonly timeout?: string;
  readonly dashboard?: boolean | string;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly json?: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The options of a run. A flag goes before the environment, that before what the file exports as `options`, and that before
 * the default. The application is called as its file unless something says otherwise.
 *
 * @throws ConfigError `ERR_OPTION`
 */
export function runSettings(
  { exports, library, path }: PipelineFile,
  flags: RunFlags,
  env: Environment,
  signal: AbortSignal,
  dev: boolean,
): RunOptions {
  const own = optionsOf(exports);
  const applicationId = flags.app ?? own.applicationId ?? basename(path, extname(path));
  const level = flags.quiet === true ? 'error' : flags.verbose === true ? 'info' : undefined;
  const { brokers, create, durability, kafka, path: folder, stateDir, transport, ...rest } = own;
  const ofFile = defined<LogLocation>({ brokers, create, durability, kafka, path: folder, transport });
  // Brokers of the file are reached as flags and the environment say: these name TLS and the user for all commands.
  const at = isNamed(flags, env) || brokers === undefined ? flags : { ...flags, brokers: brokers.join(',') };
  const place = isLocated(at, env) ? usedAs(location(at, env), ofFile) : ofFile;
  return defined<RunOptions>({
    ...rest,
    ...withGuarantee(located(place), flags, applicationId),
    applicationId,
    stateDir: flags.stateDir ?? stateDir,
    until: flags.exitOnEnd === true ? ('end' as const) : rest.until,
    openWindows: flags.closeWindows === true ? ('close' as const) : rest.openWindows,
    startFrom: flags.from ?? rest.startFrom,
    idle: (flags.idle as RunOptions['idle']) ?? rest.idle,
    dashboard: dashboardOf(flags, rest.dashboard) ?? (dev ? true : undefined),
    logger: level === undefined && rest.logger !== undefined ? rest.logger : loggerOf(library, level, env),
    signal: rest.signal === undefined ? signal : AbortSignal.any([signal, rest.signal]),
  }) as RunOptions;
}

/** What the library logs with by itself, without the line for what the application ends with: the command says that. */
function loggerOf(
  { consoleLogger }: PipelineFile['library'],
  level: LogLevel | undefined,
  env: Environment,
): RunOptions['logger'] {
  const least = level ?? env['MILLRACE_LOG'] ?? 'warn';
  if (least.toLowerCase() === 'silent') return false;
  const logger = consoleLogger({ level: least.toLowerCase() as LogLevel });
  return {
    ...logger,
    error: (fields, message) => {
      if (message !== ENDED) logger.error(fields, message);
    },
  };
}

/** The message of an application that has ended with an error. */
const ENDED = 'failed';

/**
 * A flag says that it is served, and at which port. Who sees what (token, mask, host) stays as the file says.
 *
 * @throws ConfigError `ERR_OPTION`
 */
function dashboardOf({ dashboard }: RunFlags, own: RunOptions['dashboard']): RunOptions['dashboard'] {
  const further = typeof own === 'object' ? own : undefined;
  if (typeof dashboard !== 'string') return dashboard === true ? (further ?? true) : own;
  if (/^\d{1,5}$/.test(dashboard)) return { ...further, port: Number(dashboard) };
  throw new ConfigError('ERR_OPTION', `--dashboard is ${dashboard}`, { hint: 'give a port, or nothing' });
}

/** @throws ConfigError `ERR_DURATION` */
export function timeoutMs({ timeout }: Pick<RunFlags, 'timeout'>): number | undefined {
  return timeout === undefined ? undefined : durationMs(timeout as `${number}s`, '--timeout');
}

function optionsOf({ applicationId, options = {} }: Readonly<Record<string, unknown>>): Partial<RunOptions> {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError('ERR_OPTION', 'the file exports options that are no object', {
      hint: "export const options = { applicationId: 'clicks' }",
    });
  }
  return typeof applicationId === 'string' ? { applicationId, ...options } : options;
}

/** A folder is the default, and says so. */
const located = (place: Partial<LogLocation>): Partial<LogLocation> =>
  place.path === undefined && place.brokers === undefined && place.transport === undefined
    ? { ...place, path: '.millrace' }
    : place;

/** A log that flags or the environment name. How such a one is used stays as the file says: they name another, and no more. */
function usedAs(named: LogLocation, { create, durability, kafka }: Partial<LogLocation>): Partial<LogLocation> {
  if (named.brokers === undefined) return defined<LogLocation>({ create, durability, ...named });
  return { ...named, kafka: { ...named.kafka, ...kafka, ...withoutClient(named.kafka) } };
}

/** What flags and the environment say of a cluster: TLS and the user. */
function withoutClient({ clientId: _, ...said }: NonNullable<LogLocation['kafka']> = {}): LogLocation['kafka'] {
  return said;
}

function withGuarantee(
  place: Partial<LogLocation>,
  { guarantee }: RunFlags,
  applicationId: string,
): Partial<LogLocation> {
  if (place.brokers === undefined) {
    if (guarantee === 'at-least-once') {
      throw new ConfigError('ERR_OPTION', '--guarantee is given without brokers', {
        hint: 'on a folder every commit is atomic: exactly once',
      });
    }
    return place;
  }
  const { clientId = applicationId, ...kafka } = place.kafka ?? {};
  return {
    ...place,
    kafka: {
      ...kafka,
      clientId: clientId === 'millrace-cli' ? applicationId : clientId,
      ...(guarantee === undefined ? {} : { guarantee }),
    },
  };
}

/** Without what is not given. */
function defined<T extends object>(options: { readonly [N in keyof T]?: T[N] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
