import { type Counts, count } from './expected.ts';
import type { AirportHour, Standing } from './records.ts';

/** The data for the charts, collected from the two report topics. */
export class Summary {
  /** By day, as `2001-03-16`. */
  readonly days = new Map<string, Counts>();
  /** By weekday and hour, as `5 17`; Sunday is 0. */
  readonly week = new Map<string, Counts>();
  readonly #worst = new Map<string, readonly Standing[]>();

  hour({ hour, flights, minutes, worst }: AirportHour): void {
    const time = new Date(hour);
    count(this.days, time.toISOString().slice(0, 10), flights, minutes, worst);
    count(this.week, `${time.getUTCDay()} ${time.getUTCHours()}`, flights, minutes, worst);
  }

  /** Rows of a day replace each other: the last one counts. */
  day(day: string, worst: readonly Standing[]): void {
    this.#worst.set(day, worst);
  }

  /** The day with the largest mean delay, among days with at least half as many flights as the busiest one. */
  worstDay(): string | undefined {
    const busiest = Math.max(...[...this.days.values()].map(({ flights }) => flights));
    const days = [...this.days].filter(([, { flights }]) => flights >= busiest / 2);
    return days.sort(([, a], [, b]) => meanDelay(b) - meanDelay(a))[0]?.[0];
  }

  /** The last row of each day. */
  get worst(): ReadonlyMap<string, readonly Standing[]> {
    return this.#worst;
  }
}

/** Mean delay in minutes; 0 without flights. */
export function meanDelay(counts: Counts | undefined): number {
  return counts === undefined ? 0 : counts.minutes / counts.flights;
}
