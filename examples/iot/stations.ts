import { parseCsv } from '../shared/csv.ts';
import { readData } from '../shared/vega-data.ts';

/** Where the two stations measure: the code of their airport. */
const AIRPORTS: Readonly<Record<string, string>> = { Seattle: 'SEA', 'New York': 'JFK' };

/**
 * Describes a station. It stands for any slow look-up, such as a request to a device registry: each call opens the file
 * anew and may be given up by its signal.
 *
 * @throws Error for an unknown station, and the reason of the signal when it is given up.
 */
export async function describeStation(station: string, signal: AbortSignal): Promise<string> {
  const airports = parseCsv(await readData('airports.csv'), ['iata', 'name', 'latitude', 'longitude']);
  signal.throwIfAborted();
  const found = airports.find(({ iata }) => iata === AIRPORTS[station]);
  if (found === undefined) throw new Error(`no airport is known for station ${station}`);
  const { name, latitude, longitude } = found;
  return `${name} (${Number(latitude).toFixed(2)}° N, ${(-Number(longitude)).toFixed(2)}° W)`;
}
