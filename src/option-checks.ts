import { ConfigError } from './errors.ts';
import { nearest } from './nearest.ts';

/** The names of all options of a type, as keys, so that the compiler misses none. */
export type OptionNames<T> = { readonly [Name in keyof T]-?: true };

/**
 * What is no option would be ignored, and a slip of the fingers with it.
 *
 * @throws ConfigError `ERR_OPTION` for a name that is no option, with the one that may have been meant.
 */
export function checkNames(where: string, options: object, known: Readonly<Record<string, true>>): void {
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known);
    const near = nearest(name, names);
    throw new ConfigError('ERR_OPTION', `${where} has no option ${name}`, {
      hint: near === undefined ? `its options are ${names.join(', ')}` : `did you mean ${near}?`,
    });
  }
}

/** @throws ConfigError `ERR_OPTION` for a value that is none of those allowed. */
export function checkOneOf(where: string, name: string, value: unknown, allowed: readonly string[]): void {
  if (value === undefined || (typeof value === 'string' && allowed.includes(value))) return;
  throw new ConfigError('ERR_OPTION', `${where}: ${name} is ${show(value)}`, {
    hint: `give one of ${allowed.map((each) => `'${each}'`).join(', ')}`,
  });
}

/** @throws ConfigError `ERR_OPTION` for anything but a whole number from `least` on. */
export function checkWhole(where: string, name: string, value: unknown, least: number = 0): void {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) return;
  throw new ConfigError('ERR_OPTION', `${where}: ${name} is ${show(value)}`, {
    hint: `give a whole number from ${least} on`,
  });
}

/** A value as it may stand in a message: short, and on one line. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80));
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name.slice(0, 80)}`;
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? `${value}n` : String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const kind = kindOf(value);
  if (kind !== undefined) return `a ${kind}`;
  return `an object with ${Object.keys(value).slice(0, 10).join(', ') || 'nothing'}`;
}

/** The class of an object that is more than a collection of fields. */
function kindOf(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return undefined;
  const { constructor } = prototype as { readonly constructor?: unknown };
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : undefined;
}
