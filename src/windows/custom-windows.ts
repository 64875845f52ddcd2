import { ConfigError, RecordError } from '../errors.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, show } from '../options/option-checks.ts';
import { checkWork, settled } from '../options/promises.ts';
import type { Window } from '../record.ts';
import type { AlignedWindower } from './windower.ts';

/** @public */
export interface CustomWindowsOptions {
  /** Describes the windows, and identifies their state: change the name when the function changes. */
  readonly name: string;
  /**
   * The windows that a timestamp is in, each `[start, end)`: none, one or several. It must always return the same
   * windows for the same timestamp.
   */
  readonly windowsOf: (timestamp: number) => readonly Window[];
  /** As for {@link tumbling}. */
  readonly grace: Duration;
}

const EXAMPLE = 'windowsOf: (timestamp) => [{ start, end }]';

/**
 * Windows defined by your own function.
 *
 * ```text
 * customWindows({ name: 'shifts', windowsOf: shiftOf, grace: '0s' })
 *
 * time     6h         14h        22h        30h
 * windows  |--early---|---late---|--night---|
 * ```
 *
 * Windows may overlap and may leave gaps: records in no window are dropped and counted, and do not advance stream time.
 * Closing, lateness and the order of rows work as for {@link tumbling} and {@link hopping}. Start and end are stored
 * with each window.
 *
 * @param options - `name`, `windowsOf` and `grace`.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`, `ERR_ASYNC_FUNCTION`. A record fails with `ERR_WINDOW_BOUNDS` if
 * the bounds of one of its windows are not whole numbers of milliseconds, 0 or more, or the window does not contain the
 * record.
 *
 * @example
 * ```ts
 * import { agg, customWindows, json, string, to, topic, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const parts = topic('parts', { key: string(), value: json<string>() });
 * const shifts = topic('shifts', { key: string(), value: json<number>() });
 * const HOUR = 3_600_000;
 * const shift = customWindows({
 *   name: 'shifts from six o’clock',
 *   windowsOf(timestamp) {
 *     const start = Math.floor((timestamp - 6 * HOUR) / (8 * HOUR)) * 8 * HOUR + 6 * HOUR;
 *     return [{ start: Math.max(0, start), end: start + 8 * HOUR }];
 *   },
 *   grace: '0s',
 * });
 * const driver = new TestDriver(parts.pipe(windowBy(shift, agg.count(), { store: 'per-shift' }), to(shifts)));
 * for (const hour of [6, 13, 14, 23]) driver.pipe(parts, { key: 'press', value: 'lid', timestamp: hour * HOUR });
 * console.log(driver.read(shifts).map(({ value }) => value)); // => [ 2, 1 ]
 * ```
 * @public
 */
export function customWindows(options: CustomWindowsOptions): AlignedWindower {
  checkNames('customWindows', options, { name: true, windowsOf: true, grace: true });
  const { name, windowsOf } = options;
  if (typeof name !== 'string' || name === '') {
    throw new ConfigError('ERR_OPTION', `customWindows: name is ${show(name)}`, {
      hint: "say what the windows are: 'shifts from six o’clock'",
    });
  }
  checkWork('customWindows', windowsOf, EXAMPLE);
  return {
    kind: 'aligned',
    windowsOf: (timestamp) => checked(name, timestamp, settled(windowsOf(timestamp))),
    graceMs: durationMs(options.grace, 'grace'),
    fingerprint: `windows(${name})`,
  };
}

/** The windows sorted by start and end, without duplicates. */
function checked(name: string, timestamp: number, windows: unknown): readonly Window[] {
  if (!Array.isArray(windows)) throw refuse(name, timestamp, windows);
  let inOrder = true;
  let last: Window | undefined;
  for (const window of windows as readonly Window[]) {
    const { end, start } = window ?? {};
    const holds = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0;
    if (!holds || timestamp < start || timestamp >= end) throw refuse(name, timestamp, window);
    inOrder &&= last === undefined || byStart(last, window) < 0;
    last = window;
  }
  if (inOrder) return windows as readonly Window[];
  const sorted = [...(windows as readonly Window[])].sort(byStart);
  return sorted.filter((window, at) => at === 0 || byStart(sorted[at - 1] as Window, window) < 0);
}

const byStart = (left: Window, right: Window): number => left.start - right.start || left.end - right.end;

function refuse(name: string, timestamp: number, given: unknown): RecordError {
  return new RecordError('ERR_WINDOW_BOUNDS', `the windows "${name}" of ${timestamp} have ${show(given)} among them`, {
    hint: 'return windows { start, end } of whole milliseconds from 0 on, with start <= timestamp < end',
  });
}
