import {
  agg,
  aggregate,
  joinTable,
  json,
  keyBy,
  mapValues,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { Airport, AirportHour, Flight, WorstAirports } from './records.ts';
import { standings, worstTen } from './standings.ts';

const partitions = 4;

/** The flights, in this many partitions. All that matters is that each partition keeps the order of scheduled time. */
export const flightsIn = (count: number) => topic('flights', { value: json(Flight), partitions: count });
export const flights = flightsIn(1);
const flightsByOrigin = topic('flights-by-origin', { key: string(), value: json(Flight), partitions });
export const airports = table('airports', { key: string(), value: json(Airport), partitions });
export const airportHours = topic('airport-hours', { key: string(), value: json(AirportHour), partitions });
const hoursByDay = topic('airport-hours-by-day', { key: string(), value: json(AirportHour), partitions });
export const worstAirports = topic('worst-airports', { key: string(), value: json(WorstAirports), partitions });

/** Delays per airport and hour, with the airport's name. */
const reportOf = (source: typeof flights) =>
  source.pipe(
    keyBy((flight) => flight.origin),
    through(flightsByOrigin),
    windowBy(
      tumbling({ size: '1h', grace: '0s' }),
      {
        flights: agg.count(),
        minutes: agg.sum((flight) => flight.delay),
        mean: agg.mean((flight) => flight.delay),
        worst: agg.max((flight) => flight.delay),
      },
      { store: 'delays-per-hour' },
    ),
    joinTable(airports, (delays, airport, { key, window }) => ({
      airport: key,
      hour: window.start,
      ...airport,
      ...delays,
    })),
    to(airportHours),
  );

/**
 * The ten worst airports of each day, as a running aggregate: it accepts the hours in any order, and the standings are
 * available before the day is over.
 */
const worst = airportHours.pipe(
  keyBy((row) => new Date(row.hour).toISOString().slice(0, 10)),
  through(hoursByDay),
  aggregate(standings, { store: 'standings' }),
  mapValues(worstTen),
  to(worstAirports),
);

export const pipelineOf = (source: typeof flights) => [reportOf(source), worst];
export const pipeline = pipelineOf(flights);
