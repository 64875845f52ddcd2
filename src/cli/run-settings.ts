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
 * The options of a run. Flags take precedence over the environment, the environment over the `options` that the file
 * exports, and those over defaults. By default the application has the name of its file.
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
  // Brokers of the file are reached with the TLS and user settings of flags and environment, which apply to all
  // commands.
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

/** The library's default logger, without the final error of the application, which the command reports. */
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

/** The log message of an application that has ended with an error. */
const ENDED = 'failed';

/**
 * The flag enables the dashboard and sets its port. Access settings (token, mask, host) come from the file.
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
    throw new ConfigError('ERR_OPTION', 'the file exports options that are not an object', {
      hint: "export const options = { applicationId: 'clicks' }",
    });
  }
  return typeof applicationId === 'string' ? { applicationId, ...options } : options;
}

/** Makes the default folder explicit. */
const located = (place: Partial<LogLocation>): Partial<LogLocation> =>
  place.path === undefined && place.brokers === undefined && place.transport === undefined
    ? { ...place, path: '.millrace' }
    : place;

/** A log named by flags or environment, used with the other settings of the file: they only change its location. */
function usedAs(named: LogLocation, { create, durability, kafka }: Partial<LogLocation>): Partial<LogLocation> {
  if (named.brokers === undefined) return defined<LogLocation>({ create, durability, ...named });
  return { ...named, kafka: { ...named.kafka, ...kafka, ...withoutClient(named.kafka) } };
}

/** The cluster settings of flags and environment: TLS and the user. */
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

/** The options without those that are undefined. */
function defined<T extends object>(options: { readonly [N in keyof T]?: T[N] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}
