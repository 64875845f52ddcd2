import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import { checkNames } from '../options/option-checks.ts';
import type { SlidingWindower } from './windower.ts';

/**
 * Windows that slide along the records of each key: `[start, start + difference]`, both ends inclusive. Two records
 * share a window when their timestamps differ by at most `difference`.
 *
 * ```text
 * sliding({ difference: '10s', grace: '0s' })
 *
 * records       a(20s)   b(25s)
 * windows  |------A------|              [10s, 20s] a
 *               |------B------|         [15s, 25s] a b
 *                        |------C---    [20.001s, 30.001s] b
 * ```
 *
 * Only windows with distinct contents exist: for each record one that ends at it, and one that starts 1 ms after it if
 * a later record falls into that. No window starts before 0: records earlier than `difference` share the window `[0,
 * difference]`. A window is open while stream time is at most its end plus `grace`.
 *
 * @param options - `difference`: the largest difference between two records of a window; 0 puts only records with equal
 * timestamps into one window. `grace`: as for {@link tumbling}.
 * @throws ConfigError `ERR_DURATION`, `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { agg, json, sliding, string, to, topic, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const failures = topic('failures', { key: string(), value: json<string>() });
 * const counts = topic('counts', { key: string(), value: json<number>() });
 * const tenSeconds = sliding({ difference: '10s', grace: '0s' });
 * const driver = new TestDriver(failures.pipe(windowBy(tenSeconds, agg.count(), { store: 'bursts' }), to(counts)));
 * for (const timestamp of [20_000, 25_000, 60_000]) driver.pipe(failures, { key: 'ada', value: 'wrong pin', timestamp });
 * console.log(driver.read(counts).map(({ value }) => value)); // => [ 1, 2, 1 ]
 * ```
 * @public
 */
export function sliding(options: { readonly difference: Duration; readonly grace: Duration }): SlidingWindower {
  checkNames('sliding', options, { difference: true, grace: true });
  const differenceMs = durationMs(options.difference, 'difference');
  return {
    kind: 'sliding',
    differenceMs,
    graceMs: durationMs(options.grace, 'grace'),
    fingerprint: `sliding(${formatMs(differenceMs)})`,
  };
}
