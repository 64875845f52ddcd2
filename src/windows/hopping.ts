import { ConfigError } from '../errors.ts';
import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import { checkNames } from '../options/option-checks.ts';
import type { PeriodicWindower } from './windower.ts';

/**
 * Windows of one size that start at every multiple of `advance` and overlap: `[start, start + size)`.
 *
 * ```text
 * hopping({ size: '10s', advance: '5s', grace: '0s' })
 *
 * time     0s   5s   10s  15s  20s
 * windows  |----A----|
 *               |----B----|
 *                    |----C----|
 * ```
 *
 * A record may be in time for some of its windows and late for others; lateness is decided and counted per window.
 *
 * @param options - `size`: length of a window, more than 0. `advance`: distance between starts, more than 0 and at most
 * `size`. `grace`: as for {@link tumbling}.
 * @throws ConfigError `ERR_DURATION`, `ERR_WINDOW_SIZE`, `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { agg, hopping, json, string, to, topic, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<string>() });
 * const rates = topic('rates', { key: string(), value: json<number>() });
 * const minutes = hopping({ size: '2m', advance: '1m', grace: '0s' });
 * const driver = new TestDriver(clicks.pipe(windowBy(minutes, agg.count(), { store: 'rates' }), to(rates)));
 * for (const timestamp of [70_000, 130_000, 600_000]) driver.pipe(clicks, { key: 'ada', value: '/', timestamp });
 * console.log(driver.read(rates).map(({ value }) => value)); // => [ 1, 2, 1 ]
 * ```
 * @public
 */
export function hopping(options: {
  readonly size: Duration;
  readonly advance: Duration;
  readonly grace: Duration;
}): PeriodicWindower {
  checkNames('hopping', options, { size: true, advance: true, grace: true });
  const sizeMs = durationMs(options.size, 'size');
  const advanceMs = durationMs(options.advance, 'advance');
  if (sizeMs <= 0 || advanceMs <= 0 || advanceMs > sizeMs) {
    throw new ConfigError('ERR_WINDOW_SIZE', `size is ${options.size} and advance is ${options.advance}`, {
      hint: 'size and advance must be longer than 0 ms, and advance at most size',
    });
  }
  return {
    kind: 'hopping',
    sizeMs,
    advanceMs,
    graceMs: durationMs(options.grace, 'grace'),
    fingerprint: `hopping(${formatMs(sizeMs)}, ${formatMs(advanceMs)})`,
  };
}
