import { ConfigError } from '../errors.ts';
import { type Duration, durationMs } from '../options/duration.ts';
import { checkNames, checkOneOf, show } from '../options/option-checks.ts';
import type { Window } from '../record.ts';
import { type Span, spansByCalendar, UNITS, WEEKDAYS } from './calendar-units.ts';
import { KnownWindows } from './known-windows.ts';
import type { AlignedWindower } from './windower.ts';
import { ZoneTime } from './zone-time.ts';

/** @public */
export interface CalendarOptions {
  readonly unit: 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';
  /** IANA name of the time zone: `Europe/Berlin`. */
  readonly zone: string;
  /** First day of the week (default: Monday). */
  readonly weekStart?: 'monday' | 'tuesday' | 'wednesday' | 'thursday' | 'friday' | 'saturday' | 'sunday';
  /** As for {@link tumbling}. */
  readonly grace: Duration;
}

/**
 * Consecutive hours, days, weeks, months, quarters or years of a time zone: `[start, end)`, as instants. Every
 * timestamp is in exactly one.
 *
 * ```text
 * calendar({ unit: 'day', zone: 'Europe/Berlin', grace: '0s' })
 *
 * local    28 March    29 March    30 March
 * windows  |-----24h---|----23h----|----24h----|   clocks go forward on the 29th
 * ```
 *
 * A day has 23, 24 or 25 hours when clocks change. If clocks skip a boundary, it is the first instant after the gap; if
 * they show it twice, it is the earlier instant. Start and end are stored with each window, so stored windows keep
 * their bounds when time-zone data changes. Closing and lateness work as for {@link tumbling}; `grace` is in exact
 * milliseconds.
 *
 * @param options - `unit`, `zone` and `grace`; `weekStart` for weeks.
 * @throws ConfigError `ERR_OPTION`, `ERR_DURATION`.
 *
 * @example
 * ```ts
 * import { agg, calendar, json, string, to, topic, windowBy } from 'millrace';
 * import { TestDriver } from 'millrace/testing';
 *
 * const sales = topic('sales', { key: string(), value: json<number>() });
 * const months = topic('months', { key: string(), value: json<number>() });
 * const month = calendar({ unit: 'month', zone: 'Europe/Berlin', grace: '0s' });
 * const driver = new TestDriver(sales.pipe(windowBy(month, agg.count(), { store: 'per-month' }), to(months)));
 * for (const at of ['2026-02-28T22:59Z', '2026-02-28T23:01Z', '2026-03-31T22:01Z']) {
 *   driver.pipe(sales, { key: 'ada', value: 1, timestamp: Date.parse(at) });
 * }
 * console.log(driver.read(months).map(({ value }) => value)); // => [ 1, 1 ]
 * ```
 * @public
 */
export function calendar(options: CalendarOptions): AlignedWindower {
  checkNames('calendar', options, { unit: true, zone: true, weekStart: true, grace: true });
  const { unit, weekStart = 'monday', zone } = options;
  checkOneOf('calendar', 'unit', unit, UNITS);
  checkOneOf('calendar', 'weekStart', weekStart, WEEKDAYS);
  if (options.weekStart !== undefined && unit !== 'week') {
    throw new ConfigError('ERR_OPTION', `calendar: weekStart is given with the unit ${unit}`, {
      hint: "leave it out, or take the unit 'week'",
    });
  }
  const time = zoneOf(zone);
  const spans = spansByCalendar(unit, WEEKDAYS.indexOf(weekStart));
  const known = new KnownWindows((timestamp) => windowIn(time, spans, timestamp));
  return {
    kind: 'aligned',
    windowsOf: (timestamp) => known.of(timestamp),
    graceMs: durationMs(options.grace, 'grace'),
    fingerprint: `calendar(${unit === 'week' ? `week from ${weekStart}` : unit}, ${zone})`,
  };
}

/** The window that contains an instant. No window starts before 0. */
function windowIn(time: ZoneTime, { boundary, spanOf }: Span, timestamp: number): Window {
  let span = spanOf(time.localOf(timestamp));
  let start = time.firstAt(boundary(span));
  // When clocks go back across a boundary, an instant after it can show a local time before it, and vice versa.
  while (timestamp < start) {
    span -= 1;
    start = time.firstAt(boundary(span));
  }
  let end = time.firstAt(boundary(span + 1));
  while (timestamp >= end) {
    span += 1;
    start = end;
    end = time.firstAt(boundary(span + 1));
  }
  return { start: Math.max(0, start), end };
}

function zoneOf(zone: unknown): ZoneTime {
  try {
    if (typeof zone === 'string') return new ZoneTime(zone);
  } catch {
    // Reported below.
  }
  throw new ConfigError('ERR_OPTION', `calendar: zone is ${show(zone)}`, {
    hint: "give the IANA name of a time zone: 'Europe/Berlin', 'UTC'",
  });
}
