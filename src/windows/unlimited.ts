import { ConfigError } from '../errors.ts';
import { checkNames, show } from '../options/option-checks.ts';
import type { UnlimitedWindower } from './windower.ts';

/**
 * A single window without an end: `[start, ∞)`. It never closes, so use it with `emit: 'updates'` or `{ every }`.
 *
 * ```text
 * unlimited({ start: 10_000 })
 *
 * records   a(3s)   b(10s)  c(25s)
 * window            |-----A------------ …   b c
 * ```
 *
 * Records before `start` are ignored; they do not count as late. The `end` of the window is `Infinity`.
 *
 * @param options - `start`: its start in milliseconds since the epoch (default: 0).
 * @throws ConfigError `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { agg, json, string, to, topic, unlimited, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const sales = topic('sales', { key: string(), value: json<number>() });
 * const totals = topic('totals', { key: string(), value: json<number>() });
 * const fromNow = unlimited({ start: Date.UTC(2026, 0) });
 * const driver = new TestDriver(
 *   sales.pipe(windowBy(fromNow, agg.count(), { store: 'since-january', emit: 'updates' }), to(totals)),
 * );
 * for (const day of [-1, 1, 2]) driver.pipe(sales, { key: 'ada', value: 1, timestamp: Date.UTC(2026, 0, day) });
 * console.log(driver.read(totals).map(({ value }) => value)); // => [ 1, 2 ]
 * ```
 * @public
 */
export function unlimited(options: { readonly start?: number } = {}): UnlimitedWindower {
  checkNames('unlimited', options, { start: true });
  const { start: startMs = 0 } = options;
  if (!Number.isSafeInteger(startMs) || startMs < 0) {
    throw new ConfigError('ERR_OPTION', `unlimited: start is ${show(startMs)}`, {
      hint: 'give milliseconds since 1970, 0 or more',
    });
  }
  return { kind: 'unlimited', startMs, graceMs: 0, fingerprint: `unlimited(${startMs})` };
}
