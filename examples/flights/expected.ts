import type { FlightSource } from './source.ts';

/** Counts of one airport-hour or airport-day. */
export interface Counts {
  flights: number;
  minutes: number;
  worst: number;
}

const HOUR = 3_600_000;

/** Adds to the counts under a key. */
export function count(into: Map<string, Counts>, key: string, flights: number, minutes: number, worst: number): void {
  const counts = into.get(key);
  if (counts === undefined) {
    into.set(key, { flights, minutes, worst });
  } else {
    counts.flights += flights;
    counts.minutes += minutes;
    counts.worst = Math.max(counts.worst, worst);
  }
}

/** The expected report, computed directly from the file: counts by `airport hour`, without topics and windows. */
export async function expectedHours(source: FlightSource): Promise<Map<string, Counts>> {
  const hours = new Map<string, Counts>();
  for await (const chunk of source.chunks(0)) {
    for (const { timestamp, value } of chunk) {
      count(hours, `${value.origin} ${Math.floor(timestamp / HOUR) * HOUR}`, 1, value.delay, value.delay);
    }
  }
  return hours;
}
