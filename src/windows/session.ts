import { ConfigError } from '../errors.ts';
import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import { checkNames } from '../options/option-checks.ts';
import type { SessionWindower } from './windower.ts';

/**
 * Windows from the first to the last record of a key without a pause longer than `gap`: `[first, last]`, both ends
 * inclusive.
 *
 * ```text
 * session({ gap: '5s', grace: '0s' })
 *
 * records   a(0s) b(4s)         c(12s)
 * sessions  |--A--|             |B|      [0s, 4s] a b, [12s, 12s] c
 * ```
 *
 * A record exactly `gap` away from a session joins it. A record between two sessions may merge them. A session is open
 * while stream time is at most its last record plus `gap` plus `grace`; a closed session is never extended. The
 * aggregator needs `merge`: all of `agg` have it, except `custom` without that part.
 *
 * @param options - `gap`: the longest pause inside a session, more than 0. `grace`: as for {@link tumbling}.
 * @throws ConfigError `ERR_DURATION`, `ERR_WINDOW_SIZE`, `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { agg, json, session, string, to, topic, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const clicks = topic('clicks', { key: string(), value: json<string>() });
 * const visits = topic('visits', { key: string(), value: json<number>() });
 * const visit = session({ gap: '30m', grace: '0s' });
 * const driver = new TestDriver(clicks.pipe(windowBy(visit, agg.count(), { store: 'visits' }), to(visits)));
 * for (const timestamp of [0, 60_000, 7_200_000]) driver.pipe(clicks, { key: 'ada', value: '/', timestamp });
 * console.log(driver.read(visits).map(({ value }) => value)); // => [ 2 ]
 * ```
 * @public
 */
export function session(options: { readonly gap: Duration; readonly grace: Duration }): SessionWindower {
  checkNames('session', options, { gap: true, grace: true });
  const gapMs = durationMs(options.gap, 'gap');
  if (gapMs <= 0) {
    throw new ConfigError('ERR_WINDOW_SIZE', `gap is ${options.gap}`, { hint: 'a gap must be longer than 0 ms' });
  }
  return {
    kind: 'session',
    gapMs,
    graceMs: durationMs(options.grace, 'grace'),
    fingerprint: `session(${formatMs(gapMs)})`,
  };
}
