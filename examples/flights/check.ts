import { Differences } from '../shared/verdict.ts';
import { type Counts, count, expectedHours } from './expected.ts';
import type { AirportHour, Standing } from './records.ts';
import type { FlightSource } from './source.ts';
import { isWorse, worstTen } from './standings.ts';

/** Compares the report with a direct computation over the file: every row must be there, and no others. */
export class ReportCheck {
  readonly differences = new Differences();
  rows = 0;
  flights = 0;
  readonly #open: Map<string, Counts>;
  readonly #days = new Map<string, Map<string, Counts>>();

  private constructor(expected: Map<string, Counts>) {
    this.#open = expected;
    for (const [key, { flights, minutes, worst }] of expected) {
      const [airport = '', hour = ''] = key.split(' ');
      const day = new Date(Number(hour)).toISOString().slice(0, 10);
      const airports = this.#days.get(day) ?? new Map<string, Counts>();
      this.#days.set(day, airports);
      count(airports, airport, flights, minutes, worst);
    }
  }

  static async of(source: FlightSource): Promise<ReportCheck> {
    return new ReportCheck(await expectedHours(source));
  }

  /** Takes a row of the report. A second row for the same airport and hour is a difference too. */
  hour(row: AirportHour): void {
    this.rows += 1;
    this.flights += row.flights;
    const key = `${row.airport} ${row.hour}`;
    const expected = this.#open.get(key);
    this.#open.delete(key);
    const mean = expected === undefined ? 0 : expected.minutes / expected.flights;
    const same =
      row.flights === expected?.flights &&
      row.minutes === expected.minutes &&
      row.worst === expected.worst &&
      // Sums are whole numbers and exact; a running mean may round differently in the last digits.
      Math.abs(row.mean - mean) <= 1e-9 * Math.max(1, Math.abs(mean));
    if (!same) this.differences.add(key, expected && { ...expected, mean }, row);
  }

  /** Takes the last row of a day in the second report. */
  day(day: string, worst: readonly Standing[]): void {
    const airports = this.#days.get(day) ?? new Map<string, Counts>();
    this.#days.delete(day);
    const ranked = [...airports].map(([airport, counts]) => ({ airport, ...counts }));
    const expected = worstTen(ranked.sort((a, b) => (isWorse(a, b) ? -1 : 1)));
    const actual = worst.map(({ airport, flights, minutes, worst: most }) => ({
      airport,
      flights,
      minutes,
      worst: most,
    }));
    if (JSON.stringify(actual) !== JSON.stringify(expected)) this.differences.add(day, expected, actual);
  }

  /** All rows were given: expected rows that did not occur are missing. */
  finish(): void {
    for (const [key, expected] of this.#open) this.differences.add(key, expected, undefined);
    for (const day of this.#days.keys()) this.differences.add(`worst airports of ${day}`, 'a row', undefined);
  }
}
