import type { Client } from 'millrace';
import { createTopics, type Fed, feed, inChunks, recordCount } from '../shared/feed.ts';
import { readAirports } from './airports.ts';
import { airportHours, airports, flightsIn, worstAirports } from './pipeline.ts';
import type { FlightRecord, FlightSource } from './source.ts';

/** The log was filled from another file. */
export class OtherFlightsError extends Error {}

/**
 * Publishes the airports and the flights; continues where an earlier run stopped. Flights go to the partitions in turn, one
 * by one.
 */
export async function publishFlights(
  client: Client,
  source: FlightSource,
  partitions: number,
  options: { readonly signal: AbortSignal; readonly onChunk?: (count: number) => void },
): Promise<Fed> {
  const flights = flightsIn(partitions);
  await createTopics(client, [flights, airports, airportHours, worstAirports]);
  await refuseOtherFlights(client, source, partitions);
  // The table's rows are older than any flight, so a task has read them all before its first flight.
  const rows = [...(await readAirports())].map(([key, value]) => ({ key, value, timestamp: 0 }));
  await feed(client, airports, (from) => inChunks(rows, rows.length, from), { signal: options.signal });
  return feed(client, flights, (from) => dealt(source, from, partitions), options);
}

async function* dealt(source: FlightSource, from: number, partitions: number) {
  let at = from;
  for await (const chunk of source.chunks(from))
    yield chunk.map((flight) => ({ ...flight, partition: at++ % partitions }));
}

/** The last flight in the topic shows whether it was filled from the same file. */
async function refuseOtherFlights(client: Client, source: FlightSource, partitions: number): Promise<void> {
  const flights = flightsIn(partitions);
  const count = await recordCount(client, flights);
  if (count === 0) return;
  let expected: FlightRecord | undefined;
  if (count <= source.total) {
    for await (const chunk of source.chunks(count - 1)) {
      expected = chunk[0];
      break;
    }
  }
  const fingerprint = ({ timestamp, value }: FlightRecord): string => JSON.stringify([timestamp, value]);
  const place = { partitions: [(count - 1) % partitions], from: { offset: Math.floor((count - 1) / partitions) } };
  for await (const last of client.records(flights, { ...place, until: 'end' })) {
    if (expected !== undefined && fingerprint(last) === fingerprint(expected)) return;
    throw new OtherFlightsError(`this log holds other flights than ${source.name}: take --fresh or another --path`);
  }
}
