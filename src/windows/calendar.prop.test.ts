import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../record.ts';
import { type CalendarOptions, calendar } from './calendar.ts';

/** Zones whose clocks do what is rare: skip days, change at midnight, by 30 minutes, by parts of a minute, often or never. */
const ZONES = [
  'Africa/Cairo',
  'Africa/Casablanca',
  'Africa/Johannesburg',
  'Africa/Monrovia',
  'America/Anchorage',
  'America/Asuncion',
  'America/Bogota',
  'America/Caracas',
  'America/Havana',
  'America/New_York',
  'America/Nuuk',
  'America/Santiago',
  'America/Sao_Paulo',
  'America/St_Johns',
  'Antarctica/Troll',
  'Asia/Amman',
  'Asia/Beirut',
  'Asia/Gaza',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Pyongyang',
  'Asia/Tehran',
  'Atlantic/Azores',
  'Australia/Lord_Howe',
  'Europe/Berlin',
  'Europe/Dublin',
  'Europe/London',
  'Pacific/Apia',
  'Pacific/Chatham',
  'UTC',
];
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const instants = fc.integer({ min: 2 * DAY, max: Date.UTC(2060, 11, 31) });

/** What clocks and calendars of a zone show, in the order of time. */
function labels(
  zone: string,
): (instant: number) => { readonly day: string; readonly hour: string; readonly weekday: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    hourCycle: 'h23',
    weekday: 'long',
  });
  return (instant) => {
    const at = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
    const day = `${at['year']}-${at['month']}-${at['day']}`;
    return { day, hour: `${day} ${at['hour']}`, weekday: (at['weekday'] as string).toLowerCase() };
  };
}

const only = (windows: readonly Window[]): Window => {
  expect(windows).toHaveLength(1);
  return windows[0] as Window;
};

describe('calendar windows', () => {
  it.each(ZONES)('follow the days of Intl in %s from 1970 to 2060, day by day', (zone) => {
    const format = new Intl.DateTimeFormat('en-CA', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
    });
    const { windowsOf } = calendar({ unit: 'day', zone, grace: '0s' });
    const wrong: string[] = [];
    // No window starts before 1970, so the first day is cut short.
    let [start, end] = [0, only(windowsOf(0)).end];
    let day = format.format(0);
    let days = 0;
    for (const last = Date.UTC(2061, 0, 1); start < last; days += 1) {
      const next = windowsOf(end)[0] as Window;
      const [before, after] = [format.format(end - 1), format.format(end)];
      const hours = (next.end - next.start) / HOUR;
      // All of a window shows one day, and its end is the first instant that shows a later one.
      if (next.start !== end || before !== day || after <= day || hours < 22 || hours > 26)
        wrong.push(`${new Date(start).toISOString()} shows ${day}, ends at ${new Date(end).toISOString()}: ${after}`);
      ({ start, end } = next);
      day = after;
    }
    expect(wrong).toEqual([]);
    expect(days).toBeGreaterThan(33_000 - 200);
  });

  it('tile the time line, whatever the unit', () => {
    const units = fc.constantFrom<CalendarOptions['unit'][]>('hour', 'day', 'week', 'month', 'quarter', 'year');
    const label = new Map(ZONES.map((zone) => [zone, labels(zone)]));
    fc.assert(
      fc.property(fc.constantFrom(...ZONES), units, instants, fc.nat(), (zone, unit, at, offset) => {
        const { windowsOf } = calendar({ unit, zone, grace: '0s' });
        const window = only(windowsOf(at));
        expect(at).toBeGreaterThanOrEqual(window.start);
        expect(at).toBeLessThan(window.end);
        // Another one finds the same from every instant, in any order.
        const other = calendar({ unit, zone, grace: '0s' }).windowsOf;
        const inside = window.start + (offset % (window.end - window.start));
        for (const instant of [inside, window.end - 1, window.start]) expect(only(other(instant))).toEqual(window);
        expect(only(other(window.end)).start).toBe(window.end);
        if (window.start > 0) expect(only(other(window.start - 1)).end).toBe(window.start);
        const shown = label.get(zone) as ReturnType<typeof labels>;
        const key = unit === 'hour' ? 'hour' : 'day';
        expect(shown(window.end)[key] > shown(window.end - 1)[key]).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('begin weeks with the day that was chosen', () => {
    const days = fc.constantFrom('monday', 'sunday', 'saturday', 'wednesday');
    const label = labels('America/New_York');
    fc.assert(
      // No window starts before 1970, so the first week is cut short.
      fc.property(days, instants, (weekStart, after) => {
        const at = after + 14 * DAY;
        const { windowsOf } = calendar({ unit: 'week', zone: 'America/New_York', weekStart, grace: '0s' });
        const { end, start } = only(windowsOf(at));
        expect([label(start).weekday, label(end).weekday]).toEqual([weekStart, weekStart]);
        expect(Math.round((end - start) / DAY)).toBe(7);
      }),
      { numRuns: 1_000 },
    );
  });
});
