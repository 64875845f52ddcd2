import type { ProbeRecord } from './probes.ts';
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

/** The expected alerts: their kind by `station date`. */
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

/** Outages, by `probe since back`: thirty seconds without a reading, also at the end of all readings. */
export function expectedOutages(readings: readonly ProbeRecord[]): Map<string, unknown> {
  const outages = new Map<string, unknown>();
  for (const [probe, before, next] of neighbours(readings)) {
    if (next !== undefined && next.timestamp - before.timestamp < 30_000) continue;
    outages.set(`${probe} ${before.timestamp} null`, { since: before.timestamp, back: null });
    if (next === undefined) continue;
    outages.set(`${probe} ${before.timestamp} ${next.timestamp}`, { since: before.timestamp, back: next.timestamp });
  }
  return outages;
}

/** Rises of 1.5 degrees a minute or more, by `probe from`. */
export function expectedRises(readings: readonly ProbeRecord[]): Map<string, unknown> {
  const rises = new Map<string, unknown>();
  for (const [probe, before, next] of neighbours(readings)) {
    if (next === undefined) continue;
    const [from, to] = [before.timestamp, next.timestamp];
    const perMinute = Number((((next.value.celsius - before.value.celsius) * 60_000) / (to - from)).toFixed(2));
    if (perMinute >= 1.5) rises.set(`${probe} ${from}`, { from, to, perMinute });
  }
  return rises;
}

/** Each reading with the next one of its probe; none for the last. */
function neighbours(readings: readonly ProbeRecord[]): [probe: string, before: ProbeRecord, next?: ProbeRecord][] {
  const last = new Map<string, ProbeRecord>();
  const pairs: [string, ProbeRecord, ProbeRecord?][] = [];
  for (const reading of readings) {
    const before = last.get(reading.key);
    if (before !== undefined) pairs.push([reading.key, before, reading]);
    last.set(reading.key, reading);
  }
  return [...pairs, ...[...last].map(([probe, reading]): [string, ProbeRecord] => [probe, reading])];
}
