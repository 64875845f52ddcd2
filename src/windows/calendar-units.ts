const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The units of calendar windows. */
export const UNITS = ['hour', 'day', 'week', 'month', 'quarter', 'year'] as const;

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** The first Monday of local time: 5 January 1970. */
const FIRST_MONDAY = 4;

/** The numbered spans that a unit divides local time into. */
export interface Span {
  /** The number of the span that contains a local time. */
  spanOf(local: number): number;
  /** The local time at which a span begins. */
  boundary(span: number): number;
}

/** @param firstDay - First day of the week: 0 is Monday. */
export function spansByCalendar(unit: (typeof UNITS)[number], firstDay: number): Span {
  if (unit === 'hour') return fixed(HOUR, 0);
  if (unit === 'day') return fixed(DAY, 0);
  if (unit === 'week') return fixed(7 * DAY, (FIRST_MONDAY + firstDay) * DAY);
  const months = unit === 'month' ? 1 : unit === 'quarter' ? 3 : 12;
  return {
    spanOf(local) {
      const date = new Date(local);
      return Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / months);
    },
    boundary: (span) => Date.UTC(Math.floor((span * months) / 12), (span * months) % 12, 1),
  };
}

function fixed(length: number, from: number): Span {
  return {
    spanOf: (local) => Math.floor((local - from) / length),
    boundary: (span) => span * length + from,
  };
}
