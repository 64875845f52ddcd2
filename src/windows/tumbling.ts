import { ConfigError } from '../errors.ts';
import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import { checkNames } from '../options/option-checks.ts';
import type { PeriodicWindower } from './windower.ts';

/**
 * Consecutive windows of a fixed size: `[start, start + size)`, aligned to 1970-01-01T00:00Z. Every timestamp is in
 * exactly one.
 *
 * ```text
 * tumbling({ size: '10s', grace: '0s' })
 *
 * time     0s        10s       20s       30s
 * windows  |----A----|----B----|----C----|
 * ```
 *
 * A window is open while stream time is before its end plus `grace`, and closed from then on.
 *
 * @param options - `size`: length of a window, more than 0. `grace`: how long a window waits for late records, in
 * stream time; required, because no default suits everyone. `'0s'` closes a window as soon as stream time reaches its
 * end.
 * @throws ConfigError `ERR_DURATION`, `ERR_WINDOW_SIZE`, `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { tumbling } from 'millrace';
 *
 * const minute = tumbling({ size: '1m', grace: '10s' });
 * console.log(minute.sizeMs, minute.graceMs); // => 60000 10000
 * ```
 * @public
 */
export function tumbling(options: { readonly size: Duration; readonly grace: Duration }): PeriodicWindower {
  checkNames('tumbling', options, { size: true, grace: true });
  const sizeMs = durationMs(options.size, 'size');
  if (sizeMs <= 0) {
    throw new ConfigError('ERR_WINDOW_SIZE', `size is ${options.size}`, { hint: 'a window must be longer than 0 ms' });
  }
  return {
    kind: 'tumbling',
    sizeMs,
    advanceMs: sizeMs,
    graceMs: durationMs(options.grace, 'grace'),
    fingerprint: `tumbling(${formatMs(sizeMs)})`,
  };
}
