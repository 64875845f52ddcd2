import type { ReadingRecord } from './weather.ts';

/** Means per station and month, computed without the pipeline; rows by `station month`. */
export function expectedMonths(readings: readonly ReadingRecord[]): Map<string, unknown> {
  const groups = new Map<string, ReadingRecord['value'][]>();
  for (const { key, value } of readings) {
    const month = `${key} ${value.date.slice(0, 7)}`;
    groups.set(month, [...(groups.get(month) ?? []), value]);
  }
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return new Map(
    [...groups].map(([month, days]) => {
      const high = sum(days.map((day) => day.high)) / days.length;
      const low = sum(days.map((day) => day.low)) / days.length;
      return [month, rounded({ days: days.length, high, low, rain: sum(days.map((day) => day.precipitation)) })];
    }),
  );
}

/** Sums of fractions may differ in the last digits, depending on how a mean is kept. */
export function rounded(row: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value.toFixed(6))]));
}

/** The alerts that must have been raised: their kind by `station date`. */
export function expectedAlerts(readings: readonly ReadingRecord[]): Map<string, unknown> {
  const alerts = new Map<string, unknown>();
  for (const { key, value } of readings) {
    const { date, wind, precipitation, high, low } = value;
    if (wind >= 8.5) alerts.set(`${key} ${date}`, 'storm');
    else if (precipitation >= 40) alerts.set(`${key} ${date}`, 'downpour');
    else if (high >= 35) alerts.set(`${key} ${date}`, 'heat');
    else if (low <= -10) alerts.set(`${key} ${date}`, 'frost');
  }
  return alerts;
}
