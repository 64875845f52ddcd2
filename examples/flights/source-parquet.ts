import { asyncBufferFromFile, parquetScan } from 'hyparquet';
import { dataFile } from '../shared/vega-data.ts';
import type { FlightRecord, FlightSource } from './source.ts';
import { zstdDecompressor } from './zstd.ts';

const COLUMNS = ['date', 'delay', 'distance', 'origin', 'destination'] as const;

/**
 * The three million flights. The file has eleven row groups, sorted by time; one group of decoded columns is held at a
 * time, and rows are made chunk by chunk, so memory does not grow with the file.
 */
export async function readFlightsParquet(file: string): Promise<FlightSource> {
  const scan = await parquetScan({
    file: await asyncBufferFromFile(dataFile(file)),
    compressors: { ZSTD: await zstdDecompressor() },
    columns: [...COLUMNS],
    // Milliseconds instead of a Date object per row.
    parsers: { timestampFromMicroseconds: (micros) => Number(micros / 1000n) },
  });
  /** Smallest or largest time of each row group, from the file's statistics. */
  const bounds = (which: 'min_value' | 'max_value'): number[] =>
    scan.metadata.row_groups.map(({ columns }) => Number(columns[0]?.meta_data?.statistics?.[which]));
  const chunk = 25_000;
  return {
    name: file,
    total: Number(scan.metadata.num_rows),
    span: { from: Math.min(...bounds('min_value')), to: Math.max(...bounds('max_value')) },
    chunk,
    async *chunks(from) {
      for (const { rowStart, rowEnd } of scan.ranges) {
        if (rowEnd <= from) continue;
        const [date, delay, distance, origin, destination] = await Promise.all(
          COLUMNS.map((column) => scan.readColumn({ column, rowStart, rowEnd })),
        );
        if (!date || !delay || !distance || !origin || !destination) throw new Error(`${file}: a column is missing`);
        for (let at = Math.max(from, rowStart); at < rowEnd; ) {
          // Chunks end at multiples of their size, wherever the group or the run began; a group end cuts one short.
          const end = Math.min(rowEnd, (Math.floor(at / chunk) + 1) * chunk);
          const records: FlightRecord[] = [];
          for (let row = at - rowStart; row < end - rowStart; row += 1) {
            records.push({
              timestamp: date[row] as number,
              value: {
                origin: origin[row] as string,
                destination: destination[row] as string,
                delay: Number(delay[row]),
                distance: Number(distance[row]),
              },
            });
          }
          yield records;
          at = end;
        }
      }
    },
  };
}
