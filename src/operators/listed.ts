import { show } from '../options/option-checks.ts';
import { settled } from '../options/promises.ts';

/**
 * Checks that a function that should return several items returned an iterable.
 *
 * @throws TypeError if it is not iterable (the record fails).
 */
export function listed<T>(made: Iterable<T>, step: string): Iterable<T> {
  if (Array.isArray(made)) return made as readonly T[];
  if (typeof (settled(made) as Partial<Iterable<T>> | undefined | null)?.[Symbol.iterator] === 'function') return made;
  throw new TypeError(`the function of ${step} returned ${show(made)}, which is not a list`);
}
