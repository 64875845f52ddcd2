import type { WatchOptions } from 'millrace';
import { readFlightsJson } from './source-json.ts';
import { readFlightsParquet } from './source-parquet.ts';

/** A flight as it goes into the topic; the scheduled time is the timestamp of its record. */
export interface FlightRecord {
  readonly timestamp: number;
  readonly value: {
    readonly origin: string;
    readonly destination: string;
    /** Minutes; negative when early. */
    readonly delay: number;
    /** Miles. */
    readonly distance: number;
  };
}

/** Flights in order of scheduled time. */
export interface FlightSource {
  readonly name: string;
  readonly total: number;
  /** Scheduled times of the first and the last flight. */
  readonly span: NonNullable<WatchOptions['span']>;
  /** Records published at once; fixed, so that every run splits the feed in the same places. */
  readonly chunk: number;
  /** The flights from position `from` on, in arrays of at most `chunk` records. */
  chunks(from: number): AsyncGenerator<readonly FlightRecord[], void, undefined>;
}

/** Opens a file of the npm package `vega-datasets`: `flights-2k.json` … `flights-20k.json` or `flights-3m.parquet`. */
export function openFlights(file: string): Promise<FlightSource> {
  return file.endsWith('.parquet') ? readFlightsParquet(file) : readFlightsJson(file);
}
