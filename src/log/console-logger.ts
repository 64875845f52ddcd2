import { systemClock } from '../dataflow/clock.ts';
import { ConfigError } from '../errors.ts';
import { nearest } from '../options/nearest.ts';
import type { Logger } from './logger.ts';

/** From which severity on something is logged. @public */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
const COLOURS = { debug: 90, info: 36, warn: 33, error: 31 } as const;
/** Longer values are cut: a line is to be read, and records can be large. */
const MAX_VALUE = 200;

/** Where lines go to; `process.stderr` fits. @public */
export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** @public */
export interface ConsoleLoggerOptions {
  /** The least severity that is written (`'warn'`). */
  readonly level?: LogLevel;
  /** `process.stderr` unless given. */
  readonly stream?: LogStream;
  /** Whether severities are coloured: on a terminal, unless `NO_COLOR` is set, when left out. */
  readonly color?: boolean;
  /** The time of a line, epoch ms; the machine's clock unless given. */
  readonly now?: () => number;
}

/**
 * A logger that writes a line for each event: time (UTC), severity, application, message, and fields as `name=value`.
 * Control characters are escaped, so that data in a message cannot steer a terminal.
 *
 * `run` logs with it at level `'warn'` when no `logger` is given.
 *
 * @throws ConfigError `ERR_OPTION` for an unknown level
 *
 * @example
 * ```ts
 * import { consoleLogger } from 'millrace';
 *
 * const lines: string[] = [];
 * const logger = consoleLogger({ level: 'info', stream: { write: (line: string) => lines.push(line) }, now: () => 0 });
 * logger.info({ applicationId: 'counter', topic: 'clicks' }, 'running');
 * logger.debug({}, 'not said');
 * console.log(lines[0]?.trim()); // => 00:00:00.000 info  counter: running topic=clicks
 * ```
 * @public
 */
export function consoleLogger(options: ConsoleLoggerOptions = {}): Logger {
  const { level = 'warn', now = () => systemClock.now(), stream = standardError() } = options;
  const least = LEVELS.indexOf(checkLevel(level, 'consoleLogger: level'));
  const color = options.color ?? wantsColor(stream);
  const write =
    (severity: keyof typeof COLOURS) =>
    (fields: object, message: string): void => {
      if (LEVELS.indexOf(severity) < least) return;
      const { applicationId, ...rest } = fields as { readonly applicationId?: unknown };
      const time = new Date(now()).toISOString().slice(11, 23);
      const name = color ? `\u001b[${COLOURS[severity]}m${severity.padEnd(5)}\u001b[0m` : severity.padEnd(5);
      const who = applicationId === undefined ? '' : `${shown(applicationId)}: `;
      const pairs = Object.entries(rest).filter(([, value]) => value !== undefined);
      const tail = pairs.map(([field, value]) => ` ${field}=${shown(value)}`).join('');
      stream.write(`${time} ${name} ${who}${harmless(message)}${tail}\n`);
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/**
 * What is logged with when nobody says: warnings and errors on standard error, or what the environment says in
 * `MILLRACE_LOG`. `undefined` for `silent`.
 *
 * @throws ConfigError `ERR_OPTION` for an unknown level in the environment
 */
export function defaultLogger(): Logger | undefined {
  const level = checkLevel((environment('MILLRACE_LOG') ?? 'warn').toLowerCase(), 'MILLRACE_LOG');
  return level === 'silent' ? undefined : consoleLogger({ level });
}

function checkLevel(level: string, where: string): LogLevel {
  const known = LEVELS.find((each) => each === level);
  if (known !== undefined) return known;
  const near = nearest(level, LEVELS);
  throw new ConfigError('ERR_OPTION', `${where} is ${JSON.stringify(level)}`, {
    hint: `${near === undefined ? '' : `did you mean ${near}? `}give one of ${LEVELS.join(', ')}`,
  });
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : textOf(value);
  const cut = text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text;
  return /^[\w.:/@+…-]*$/.test(cut) ? cut : harmless(JSON.stringify(cut));
}

function textOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  try {
    return (
      JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? String(each) : each)) ?? String(value)
    );
  } catch {
    return String(value);
  }
}

/** One line, whatever was in it. */
function harmless(text: string): string {
  return text
    .replace(/\n/g, ' ')
    .replace(/\p{Cc}/gu, (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function wantsColor(stream: LogStream): boolean {
  if ((environment('NO_COLOR') ?? '') !== '') return false;
  const forced = environment('FORCE_COLOR');
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true;
}

function environment(name: string): string | undefined {
  return typeof process === 'undefined' ? undefined : process.env[name];
}

/** A browser has none: there nothing is written. */
function standardError(): LogStream {
  return typeof process === 'undefined' ? { write: () => undefined } : process.stderr;
}
