import { show } from '../options/option-checks.ts';
import { settled } from '../options/promises.ts';

/**
 * A number that a function picked from a value. Without a schema the compiler believes what it is told, and `0 + '12'` is a
 * text: the wrong result would be found much later, or never.
 *
 * @throws TypeError for anything but a number, so that the record fails; ConfigError `ERR_ASYNC_FUNCTION` for a promise.
 */
export function numberOf(picked: number, who: string): number {
  if (typeof picked === 'number') return picked;
  throw new TypeError(`${who} was given ${show(settled<unknown>(picked))}, which is not a number`);
}
