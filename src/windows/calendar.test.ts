import { describe, expect, it } from 'vitest';
import { calendar } from './calendar.ts';

const HOUR = 3_600_000;
const day = (zone: string, at: string): readonly [string, number] => {
  const [window] = calendar({ unit: 'day', zone, grace: '0s' }).windowsOf(Date.parse(at));
  const { end, start } = window as { start: number; end: number };
  return [new Date(start).toISOString(), (end - start) / HOUR];
};

describe('days of a time zone', () => {
  it('have 23, 24 or 25 hours where clocks change', () => {
    expect(day('Europe/Berlin', '2026-03-28T12:00Z')).toEqual(['2026-03-27T23:00:00.000Z', 24]);
    expect(day('Europe/Berlin', '2026-03-29T12:00Z')).toEqual(['2026-03-28T23:00:00.000Z', 23]);
    expect(day('Europe/Berlin', '2026-10-25T12:00Z')).toEqual(['2026-10-24T22:00:00.000Z', 25]);
    expect(day('Australia/Lord_Howe', '2026-10-04T01:00Z')).toEqual(['2026-10-03T13:30:00.000Z', 23.5]);
  });

  it('begin behind the gap where clocks skip midnight, and may be missing altogether', () => {
    expect(day('America/Sao_Paulo', '2018-11-04T12:00Z')).toEqual(['2018-11-04T03:00:00.000Z', 23]);
    expect(day('Pacific/Apia', '2011-12-30T09:59:59Z')).toEqual(['2011-12-29T10:00:00.000Z', 24]);
    expect(day('Pacific/Apia', '2011-12-30T10:00Z')).toEqual(['2011-12-30T10:00:00.000Z', 24]);
  });

  it('begin with the earlier midnight where clocks show it twice', () => {
    // On 1 November 2020 clocks of Havana went back from one to midnight.
    expect(day('America/Havana', '2020-11-01T04:30Z')).toEqual(['2020-11-01T04:00:00.000Z', 25]);
    expect(day('America/Havana', '2020-11-01T05:30Z')).toEqual(['2020-11-01T04:00:00.000Z', 25]);
  });

  it('do not begin before 1970', () => {
    expect(day('America/New_York', '1970-01-01T00:00Z')).toEqual(['1970-01-01T00:00:00.000Z', 5]);
  });
});

describe('an hour that clocks show twice', () => {
  it('has two hours, for its end is not shown before', () => {
    const { windowsOf } = calendar({ unit: 'hour', zone: 'Europe/Berlin', grace: '0s' });
    const windows = ['2026-10-25T00:10Z', '2026-10-25T01:10Z', '2026-10-25T02:10Z'].map((at) =>
      windowsOf(Date.parse(at)),
    );
    expect(windows.map(([window]) => ((window?.end ?? 0) - (window?.start ?? 0)) / HOUR)).toEqual([2, 2, 1]);
  });
});

describe('calendar', () => {
  it('names its meaning, without the grace', () => {
    const of = (options: Partial<Parameters<typeof calendar>[0]>): string =>
      calendar({ unit: 'day', zone: 'UTC', grace: '1s', ...options }).fingerprint;
    expect(of({})).toBe('calendar(day, UTC)');
    expect(of({ grace: '2s' })).toBe(of({}));
    expect(of({ unit: 'week' })).toBe('calendar(week from monday, UTC)');
    expect(of({ unit: 'week', weekStart: 'sunday' })).toBe('calendar(week from sunday, UTC)');
  });

  it.each([
    [{ zone: 'Europe/Atlantis' }, 'zone is "Europe/Atlantis"'],
    [{ zone: undefined }, 'zone is undefined'],
    [{ unit: 'fortnight' }, 'unit'],
    [{ weekStart: 'sunday' }, 'weekStart is given with the unit day'],
    [{ unit: 'week', weekStart: 'Sunday' }, 'weekStart'],
    [{ grace: undefined }, 'grace'],
    [{ timezone: 'UTC' }, 'timezone'],
  ])('refuses %j', (options, problem) => {
    expect(() => calendar({ unit: 'day', zone: 'UTC', grace: '0s', ...options } as never)).toThrow(problem);
  });
});
