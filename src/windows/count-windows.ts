import { ConfigError } from '../errors.ts';
import { checkNames, show } from '../options/option-checks.ts';
import type { CountWindower } from './windower.ts';

/**
 * Windows of a fixed number of records per key, in order of arrival. They overlap if `advance` is less than `size`.
 *
 * ```text
 * countWindows({ size: 3 })
 *
 * records   a(1s) b(5s) c(3s) d(9s)
 * windows   |-------A-------| |--B--    A = [1s, 5s]
 * ```
 *
 * A window closes and emits its row with its last record. Event time plays no part, so no record is late, and results
 * depend on the order of arrival. `window` has the lowest and the highest timestamp of its records, both inclusive.
 * Windows that are not full stay in the store, and survive restarts; a bounded run that closes windows emits them at
 * its end.
 *
 * @param options - `size`: records per window. `advance`: records between the starts of two windows (default: `size`).
 * @throws ConfigError `ERR_WINDOW_SIZE`, `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { agg, countWindows, json, string, to, topic, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const readings = topic('readings', { key: string(), value: json<number>() });
 * const means = topic('means', { key: string(), value: json<number>() });
 * const lastThree = countWindows({ size: 3, advance: 1 });
 * const driver = new TestDriver(
 *   readings.pipe(windowBy(lastThree, agg.mean((celsius) => celsius), { store: 'moving' }), to(means)),
 * );
 * for (const celsius of [1, 2, 6, 7]) driver.pipe(readings, { key: 'cellar', value: celsius });
 * console.log(driver.read(means).map(({ value }) => value)); // => [ 3, 5 ]
 * ```
 * @public
 */
export function countWindows(options: { readonly size: number; readonly advance?: number }): CountWindower {
  checkNames('countWindows', options, { size: true, advance: true });
  const { size, advance = size } = options;
  const whole = (n: number): boolean => Number.isSafeInteger(n) && n >= 1;
  if (!whole(size) || !whole(advance) || advance > size) {
    throw new ConfigError('ERR_WINDOW_SIZE', `size is ${show(size)} and advance is ${show(advance)}`, {
      hint: 'size and advance are whole numbers of records, 1 or more, and advance is at most size',
    });
  }
  return { kind: 'count', size, advance, graceMs: 0, fingerprint: `count(${size}, ${advance})` };
}
