import { parseCsv } from '../shared/csv.ts';
import { readData } from '../shared/vega-data.ts';

/** A row of the airports table. */
export interface Airport {
  readonly name: string;
  readonly city: string;
  readonly state: string;
}

/** The airports of `airports.csv` by their IATA code. */
export async function readAirports(): Promise<ReadonlyMap<string, Airport>> {
  const rows = parseCsv(await readData('airports.csv'), ['iata', 'name', 'city', 'state']);
  return new Map(rows.map(({ iata, ...airport }) => [iata, airport]));
}
