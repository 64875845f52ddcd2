import { ConfigError } from '../errors.ts';
import { type Duration, durationMs, formatMs } from '../options/duration.ts';
import { checkNames } from '../options/option-checks.ts';
import type { Window } from '../record.ts';
import type { AlignedWindower } from './windower.ts';

/**
 * Windows that start together and grow by `step` up to `size`: `[start, start + step)`, `[start, start + 2 step)`, …,
 * aligned to 1970-01-01T00:00Z. For example, an hourly figure for "today so far".
 *
 * ```text
 * cumulate({ size: '30s', step: '10s', grace: '0s' })
 *
 * time     0s   10s  20s  30s  40s
 * windows  |-A--|         |-D--|
 *          |----B----|
 *          |------C-------|
 * ```
 *
 * A record is in each window of its `size` period that ends after it; lateness is decided and counted per window.
 *
 * @param options - `size`: length of the longest window, a multiple of `step`. `step`: length of the shortest. `grace`: as for
 * {@link tumbling}.
 * @throws ConfigError `ERR_DURATION`, `ERR_WINDOW_SIZE`, `ERR_OPTION`.
 *
 * @example
 * ```ts
 * import { agg, cumulate, json, string, to, topic, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const sales = topic('sales', { key: string(), value: json<number>() });
 * const soFar = topic('so-far', { key: string(), value: json<number>() });
 * const day = cumulate({ size: '1d', step: '8h', grace: '0s' });
 * const driver = new TestDriver(sales.pipe(windowBy(day, agg.count(), { store: 'so-far' }), to(soFar)));
 * for (const hour of [1, 9, 17, 25]) driver.pipe(sales, { key: 'ada', value: 1, timestamp: hour * 3_600_000 });
 * console.log(driver.read(soFar).map(({ value }) => value)); // => [ 1, 2, 3 ]
 * ```
 * @public
 */
export function cumulate(options: {
  readonly size: Duration;
  readonly step: Duration;
  readonly grace: Duration;
}): AlignedWindower {
  checkNames('cumulate', options, { size: true, step: true, grace: true });
  const sizeMs = durationMs(options.size, 'size');
  const stepMs = durationMs(options.step, 'step');
  if (stepMs <= 0 || sizeMs <= 0 || sizeMs % stepMs !== 0) {
    throw new ConfigError('ERR_WINDOW_SIZE', `size is ${options.size} and step is ${options.step}`, {
      hint: 'size and step are longer than 0 ms, and size is a multiple of step',
    });
  }
  let last: readonly Window[] = [];
  return {
    kind: 'aligned',
    windowsOf(timestamp) {
      const start = timestamp - (timestamp % sizeMs);
      const first = timestamp - (timestamp % stepMs) + stepMs;
      const known = last[0];
      if (known !== undefined && known.start === start && known.end === first) return last;
      const windows: Window[] = [];
      for (let end = first; end <= start + sizeMs; end += stepMs) windows.push({ start, end });
      last = windows;
      return windows;
    },
    graceMs: durationMs(options.grace, 'grace'),
    fingerprint: `cumulate(${formatMs(sizeMs)}, ${formatMs(stepMs)})`,
  };
}
