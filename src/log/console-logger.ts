import { systemClock } from '../dataflow/clock.ts';
import { ConfigError } from '../errors.ts';
import { nearest } from '../options/nearest.ts';
import type { Logger } from './logger.ts';

/** The lowest severity that is logged. @public */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];
const COLOURS = { debug: 90, info: 36, warn: 33, error: 31 } as const;
/** Longer values are cut: lines should be readable, and records can be large. */
const MAX_VALUE = 200;

/** Where lines are written, such as `process.stderr`. @public */
export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** @public */
export interface ConsoleLoggerOptions {
  /** The lowest severity to write (default: `'warn'`). */
  readonly level?: LogLevel;
  /** Where to write (default: `process.stderr`). */
  readonly stream?: LogStream;
  /** Whether to colour severities (default: on a terminal, unless `NO_COLOR` is set). */
  readonly color?: boolean;
  /** Returns the time of a line in ms since the epoch (default: the system clock). */
  readonly now?: () => number;
}

/**
 * A logger that writes one line per event: time (UTC), severity, application, message, and fields as `name=value`.
 * Control characters are escaped, so that data in a message cannot control the terminal.
 *
 * `run` uses it at level `'warn'` if no `logger` is given.
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
 * The default logger: it writes warnings and errors to standard error, or the level that the environment variable
 * `MILLRACE_LOG` sets. `undefined` for `silent`.
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

/** Makes text safe to print on one line. */
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

/** Standard error; in a browser, which has none, nothing is written. */
function standardError(): LogStream {
  return typeof process === 'undefined' ? { write: () => undefined } : process.stderr;
}
