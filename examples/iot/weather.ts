import { parseCsv } from '../shared/csv.ts';
import { readData } from '../shared/vega-data.ts';

export interface ReadingRecord {
  /** The station: Seattle or New York. */
  readonly key: string;
  /** Eight in the evening, UTC, which is the same day in both places. */
  readonly timestamp: number;
  readonly value: {
    readonly station: string;
    readonly date: string;
    readonly precipitation: number;
    readonly high: number;
    readonly low: number;
    readonly wind: number;
  };
}

/** Four years of daily weather of two stations, in order of time. */
export async function readWeather(): Promise<ReadingRecord[]> {
  const columns = ['location', 'date', 'precipitation', 'temp_max', 'temp_min', 'wind'] as const;
  const readings = parseCsv(await readData('weather.csv'), columns).map(
    (row): ReadingRecord => ({
      key: row.location,
      timestamp: Date.parse(`${row.date}T20:00Z`),
      value: {
        station: row.location,
        date: row.date,
        precipitation: Number(row.precipitation),
        high: Number(row.temp_max),
        low: Number(row.temp_min),
        wind: Number(row.wind),
      },
    }),
  );
  return readings.sort((a, b) => a.timestamp - b.timestamp);
}
