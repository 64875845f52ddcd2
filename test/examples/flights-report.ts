import { connect } from 'millrace';
import { airportHours, flights, worstAirports } from '../../examples/flights/pipeline.ts';
import type { Standing } from '../../examples/flights/records.ts';

/** What the demo left in its folder. */
export interface FlightsReport {
  /** Every record of the report, per partition, in order: key, timestamp and value as text. */
  readonly hours: ReadonlyMap<number, readonly string[]>;
  /** The last row of each day. */
  readonly worst: ReadonlyMap<string, readonly Standing[]>;
  /** Positions that the feed has reached. */
  readonly published: number;
}

/** Reads the topics of the demo in a folder. */
export async function readFlightsReport(path: string): Promise<FlightsReport> {
  const client = await connect({ path });
  try {
    const hours = new Map<number, string[]>();
    await client.records(airportHours, { from: 'earliest', until: 'end' }).forEach((record) => {
      const rows = hours.get(record.partition) ?? [];
      hours.set(record.partition, rows);
      rows.push(`${record.key} ${record.timestamp} ${JSON.stringify(record.value)}`);
    });
    const worst = new Map<string, readonly Standing[]>();
    await client.records(worstAirports, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => {
      worst.set(key, value);
    });
    const ends = await client.offsets(flights.name, 'latest');
    return { hours, worst, published: [...ends.values()].reduce((sum, offset) => sum + offset, 0) };
  } finally {
    await client.close();
  }
}
