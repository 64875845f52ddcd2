import { ConfigError } from '../errors.ts';
import { nearest } from './nearest.ts';

/** The names of all options of a type as keys, so that the compiler finds missing ones. */
export type OptionNames<T> = { readonly [Name in keyof T]-?: true };

/**
 * Checks the names of options: an unknown option, such as a typo, would otherwise be ignored.
 *
 * @throws ConfigError `ERR_OPTION` if the options are not an object, or for an unknown name, with a similar name as
 * suggestion.
 */
export function checkNames(where: string, options: object, known: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigError('ERR_OPTION', `${where}: the options are ${show(options)}`, {
      hint: `give an object with some of ${Object.keys(known).join(', ')}`,
    });
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known);
    const near = nearest(name, names) ?? partOf(name, names);
    throw new ConfigError('ERR_OPTION', `${where} has no option ${name}`, {
      hint: near === undefined ? `its options are ${names.join(', ')}` : `did you mean ${near}?`,
    });
  }
}

/** The only name that ends in the other, as `startFrom` ends in `from`: different places use different names. */
function partOf(name: string, names: readonly string[]): string | undefined {
  const given = name.toLowerCase();
  const [first, ...more] = names.filter((each) => {
    const known = each.toLowerCase();
    return given.endsWith(known) || (given.length > 3 && known.endsWith(given));
  });
  return more.length === 0 ? first : undefined;
}

/** @throws ConfigError `ERR_OPTION` for a value that is not allowed. */
export function checkOneOf(where: string, name: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || (typeof value === 'string' && allowed.includes(value))) return;
  const values = allowed.map((each) => `'${each}'`).join(', ');
  throw new ConfigError('ERR_OPTION', `${where}: ${name} is ${show(value)}`, {
    hint: allowed.length === 1 ? `give ${values}, or leave it out` : `give one of ${values}`,
  });
}

/** @throws ConfigError `ERR_OPTION` for anything but a whole number, `least` or more. */
export function checkWhole(where: string, name: string, value: unknown, least: number = 0): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return;
  throw new ConfigError('ERR_OPTION', `${where}: ${name} is ${show(value)}`, {
    hint: `give a whole number, ${least} or more`,
  });
}

/**
 * Checks that methods that are called later exist from the start.
 *
 * @throws ConfigError `ERR_OPTION` for an object that lacks one of the methods.
 */
export function checkMethods(where: string, name: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return;
  const object: Readonly<Record<string, unknown>> =
    (typeof value === 'object' && value !== null) || typeof value === 'function'
      ? (value as Record<string, unknown>)
      : {};
  const missing = methods.filter((method) => typeof object[method] !== 'function');
  if (missing.length === 0) return;
  const problem = missing.length < methods.length ? `${name} has no method ${missing[0]}` : `${name} is ${show(value)}`;
  throw new ConfigError('ERR_OPTION', `${where}: ${problem}`, { hint: `it needs the methods ${methods.join(', ')}` });
}

/** @throws ConfigError `ERR_OPTION` for a logger that would fail when it is first used. */
export function checkLogger(where: string, logger: unknown): void {
  // False means none, wherever there is a logger.
  if (logger !== false) checkMethods(where, 'logger', logger, ['debug', 'info', 'warn', 'error']);
}

/** @throws ConfigError `ERR_OPTION` */
export function checkClock(where: string, clock: unknown): void {
  checkMethods(where, 'clock', clock, ['now', 'monotonic', 'after']);
}

/** @throws ConfigError `ERR_OPTION` */
export function checkSignal(where: string, signal: unknown): void {
  checkMethods(where, 'signal', signal, ['addEventListener', 'removeEventListener']);
}

/** @throws ConfigError `ERR_OPTION` for anything but a non-empty string. */
export function checkText(where: string, name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && value !== '')) return;
  throw new ConfigError('ERR_OPTION', `${where}: ${name} is ${show(value)}`, { hint: 'give a string' });
}

/** Like {@link checkText}, for a required option. @throws ConfigError `ERR_OPTION` */
export function requireText(where: string, name: string, value: unknown): void {
  checkText(where, name, value ?? null);
}

/** @throws ConfigError `ERR_TOPIC_NAME` */
export function checkTopicName(name: string): void {
  if (/^[a-zA-Z0-9._-]{1,249}$/.test(name) && name !== '.' && name !== '..') return;
  throw new ConfigError('ERR_TOPIC_NAME', `${show(name)} is not a topic name`, {
    hint: 'use 1 to 249 letters, digits, ".", "_" and "-"',
  });
}

/**
 * A point in time, in milliseconds.
 *
 * @throws ConfigError `ERR_OPTION` for anything but a Date or a whole number of milliseconds.
 */
export function timeMs(where: string, name: string, time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0) return ms;
  const shown = time instanceof Date ? String(ms) : show(time);
  throw new ConfigError('ERR_OPTION', `${where}: ${name} is ${shown}`, {
    hint:
      typeof time === 'string'
        ? `give a Date: new Date(${show(time)})`
        : 'give a Date, or a whole number of milliseconds since 1970',
  });
}

/** Formats a value for a message: short and on one line. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name.slice(0, 80)}`;
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? `${value}n` : String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const kind = kindOf(value);
  if (kind !== undefined) return `${/^[AEIOU]/i.test(kind) ? 'an' : 'a'} ${kind}`;
  return `an object with ${Object.keys(value).slice(0, 10).join(', ') || 'nothing'}`;
}

/** Names for our classes that users never refer to directly. */
const OURS: Readonly<Record<string, string>> = {
  GlobalTable: 'global table',
  Stream: 'stream',
  Table: 'table',
  Topic: 'topic',
  TopicPattern: 'pattern of topics',
  TopicTable: 'table',
};

/** The class of an object, unless it is a plain object. */
function kindOf(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return undefined;
  const { constructor } = prototype as { readonly constructor?: unknown };
  if (typeof constructor !== 'function' || constructor.name === '') return undefined;
  return OURS[constructor.name] ?? constructor.name;
}
