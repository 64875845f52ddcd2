import type { AirportHour, Standing } from './records.ts';

/** Fewer departures than this say nothing about an airport's day. */
const FEWEST_FLIGHTS = 3;

/**
 * How bad an airport's day was: its mean delay, as if ten more flights had been on time, so that three late flights at a
 * small airport do not outweigh three hundred at a large one. Airports with hardly a flight are not ranked at all.
 */
export function score({ minutes, flights }: Pick<Standing, 'minutes' | 'flights'>): number {
  return flights < FEWEST_FLIGHTS ? Number.NEGATIVE_INFINITY : minutes / (flights + 10);
}

type Ranked = Pick<Standing, 'airport' | 'minutes' | 'flights'>;

/** Whether `a` comes before `b`: the worst first, equal scores by airport code, so that arrival never decides. */
function isWorse(a: Ranked, b: Ranked): boolean {
  const [left, right] = [score(a), score(b)];
  return left === right ? a.airport < b.airport : left > right;
}

/** The ten worst of a day. */
export function worstTen<R extends Ranked>(airports: readonly R[]): R[] {
  return airports
    .filter((airport) => airport.flights >= FEWEST_FLIGHTS)
    .sort((a, b) => (isWorse(a, b) ? -1 : 1))
    .slice(0, 10);
}

/**
 * All airports of one day with one more hour counted in. Hours may come in any order. Sums are kept instead of means,
 * because sums add up and means do not.
 */
export function addHour(day: readonly Standing[], row: AirportHour): readonly Standing[] {
  const { airport, name, city, state } = row;
  const place = day.findIndex((known) => known.airport === airport);
  const known = day[place];
  if (known === undefined) {
    return [...day, { airport, name, city, state, flights: row.flights, minutes: row.minutes, worst: row.worst }];
  }
  return day.with(place, {
    ...known,
    flights: known.flights + row.flights,
    minutes: known.minutes + row.minutes,
    worst: Math.max(known.worst, row.worst),
  });
}
