import { parseCsv } from '../shared/csv.ts';
import { readData } from '../shared/vega-data.ts';

/** The airport code of each of the two stations. */
const AIRPORTS: Readonly<Record<string, string>> = { Seattle: 'SEA', 'New York': 'JFK' };

/**
 * Describes a station. It stands for any slow lookup, such as a request to a device registry: each call opens the file
 * again and can be aborted by its signal.
 *
 * @throws Error for an unknown station, and the signal's reason when it is aborted.
 */
export async function describeStation(station: string, signal: AbortSignal): Promise<string> {
  const airports = parseCsv(await readData('airports.csv'), ['iata', 'name', 'latitude', 'longitude']);
  signal.throwIfAborted();
  const found = airports.find(({ iata }) => iata === AIRPORTS[station]);
  if (found === undefined) throw new Error(`no airport is known for station ${station}`);
  const { name, latitude, longitude } = found;
  return `${name} (${Number(latitude).toFixed(2)}° N, ${(-Number(longitude)).toFixed(2)}° W)`;
}
