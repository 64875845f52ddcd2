import { agg } from 'millrace';
import type { AirportHour, Standing } from './records.ts';

/** With fewer departures than this, an airport is not ranked. */
const FEWEST_FLIGHTS = 3;

/**
 * How bad an airport's day was: its mean delay, as if ten more flights had been on time, so that three late flights at a
 * small airport do not outweigh three hundred at a large one. Airports with hardly a flight are not ranked at all.
 */
export function score({ minutes, flights }: Pick<Standing, 'minutes' | 'flights'>): number {
  return flights < FEWEST_FLIGHTS ? Number.NEGATIVE_INFINITY : minutes / (flights + 10);
}

type Ranked = Pick<Standing, 'airport' | 'minutes' | 'flights'>;

/** Whether `a` comes before `b`: the worst first, equal scores by airport code, so that the order of arrival never matters. */
export function isWorse(a: Ranked, b: Ranked): boolean {
  const [left, right] = [score(a), score(b)];
  return left === right ? a.airport < b.airport : left > right;
}

/**
 * All airports of one day, the worst first, with one more hour counted in. Hours may come in any order. Sums are kept
 * instead of means, because sums add up and means do not.
 */
function addHour(day: readonly Standing[], row: AirportHour): readonly Standing[] {
  const { airport, name, city, state } = row;
  const known = day.find((other) => other.airport === airport);
  const next: Standing = {
    airport,
    name,
    city,
    state,
    flights: (known?.flights ?? 0) + row.flights,
    minutes: (known?.minutes ?? 0) + row.minutes,
    worst: Math.max(known?.worst ?? row.worst, row.worst),
  };
  const others = day.filter((other) => other !== known);
  const place = others.findIndex((other) => isWorse(next, other));
  others.splice(place < 0 ? others.length : place, 0, next);
  return others;
}

/** The airports of a day, as an aggregator. */
export const standings = agg.custom({ name: 'standings', init: (): readonly Standing[] => [], add: addHour });

/** The first ten of a day's standings that are ranked. */
export function worstTen<R extends Ranked>(day: readonly R[]): R[] {
  return day.slice(0, 10).filter(({ flights }) => flights >= FEWEST_FLIGHTS);
}
