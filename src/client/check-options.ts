import { ConfigError } from '../errors.ts';
import { nearest } from '../runtime/nearest.ts';

/** @throws ConfigError `ERR_OPTION` for a name that is no option, with the one that may have been meant. */
export function checkNames(where: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    throw new ConfigError('ERR_OPTION', `${where} has no option ${name}`, {
      hint: near === undefined ? `its options are ${known.join(', ')}` : `did you mean ${near}?`,
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
  if (value instanceof Map) return 'a Map';
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : `an object with ${Object.keys(value).join(', ') || 'nothing'}`;
}
