import { readData } from '../shared/vega-data.ts';
import type { FlightRecord, FlightSource } from './source.ts';

interface Row {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

/** `2001/01/01 00:47` is local time at the airport, without a zone; read as UTC, an hour stays the hour on the clock. */
function scheduled(date: string): number {
  return Date.parse(`${date.replaceAll('/', '-').replace(' ', 'T')}Z`);
}

/** The smaller samples: read whole, a few megabytes. */
export async function readFlightsJson(file: string): Promise<FlightSource> {
  const rows = JSON.parse(await readData(file)) as readonly Row[];
  const flights = rows.map(({ date, origin, destination, delay, distance }): FlightRecord => {
    return { timestamp: scheduled(date), value: { origin, destination, delay, distance } };
  });
  flights.sort((a, b) => a.timestamp - b.timestamp);
  const chunk = 1_000;
  return {
    name: file,
    total: flights.length,
    span: { from: flights[0]?.timestamp ?? 0, to: flights.at(-1)?.timestamp ?? 0 },
    chunk,
    async *chunks(from) {
      for (let at = from; at < flights.length; at += chunk) yield flights.slice(at, at + chunk);
    },
  };
}
