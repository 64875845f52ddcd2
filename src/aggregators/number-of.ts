import { show } from '../options/option-checks.ts';
import { settled } from '../options/promises.ts';

/**
 * Checks that a user's function picked a number from a value. Without a schema the compiler trusts the declared type,
 * and `0 + '12'` is a string: the wrong result would be noticed much later, or never.
 *
 * @throws TypeError for anything but a number (the record fails); ConfigError `ERR_ASYNC_FUNCTION` for a promise.
 */
export function numberOf(picked: number, who: string): number {
  if (typeof picked === 'number') return picked;
  throw new TypeError(`${who} was given ${show(settled<unknown>(picked))}, which is not a number`);
}
