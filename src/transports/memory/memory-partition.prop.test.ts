import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { DEFAULT_TOPIC_CONFIG } from '../local/topic-config.ts';
import { MemoryPartition, PreparedBatch } from './memory-partition.ts';

interface Row {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string;
  readonly header: string | undefined;
}

const text = (bytes: Uint8Array, start: number, length: number): string =>
  new TextDecoder().decode(bytes.subarray(start, start + length));

/** What lies from an offset on, batch by batch. */
function readFrom(partition: MemoryPartition, offset: number): Row[] {
  const rows: Row[] = [];
  for (let at = offset; ; ) {
    const batch = partition.read(at);
    if (batch === undefined) return rows;
    const { bytes, keyLength, keyStart, offsetDelta, timestamp, valueLength, valueStart } = batch;
    for (let index = 0; index < batch.count; index += 1) {
      const value = batch.headers(index)[0]?.[1];
      rows.push({
        offset: batch.baseOffset + offsetDelta[index]!,
        timestamp: timestamp[index]!,
        key: keyLength[index]! < 0 ? null : text(bytes, keyStart[index]!, keyLength[index]!),
        value: text(bytes, valueStart[index]!, valueLength[index]!),
        header: value === undefined || value === null ? undefined : text(value, 0, value.length),
      });
    }
    at = batch.nextOffset;
  }
}

const batches = fc.array(
  fc.record({
    records: fc.integer({ min: 1, max: 24 }),
    valueBytes: fc.constantFrom(0, 3, 150, 3000),
    header: fc.boolean(),
    dropped: fc.boolean(),
  }),
  { minLength: 1, maxLength: 60 },
);

it('reads the records of small batches that share columns, and of large ones, from any offset', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.boolean(), (given, seed, compact) => {
      const partition = new MemoryPartition();
      const builder = new RecordBatchBuilder();
      let model: Row[] = [];
      let offset = 0;
      for (const [number, { dropped, header, records, valueBytes }] of given.entries()) {
        builder.reset();
        const rows: Row[] = [];
        for (let index = 0; index < records; index += 1) {
          const row = {
            offset: offset + index,
            timestamp: number * 100 + 50 - index,
            key: index % 5 === 4 ? null : `k${(number * 7 + index) % 9}`,
            value: `${number}/${index} ${'x'.repeat(valueBytes)}`,
            header: header ? `h${index}` : undefined,
          };
          rows.push(row);
          const headers = row.header === undefined ? [] : ([['h', new TextEncoder().encode(row.header)]] as const);
          builder.append(row.timestamp, row.key, row.value, headers);
        }
        const place = { topic: 't', partition: 0 };
        const prepared = new PreparedBatch(place, partition.rowsOf(builder), builder.maxTimestamp, 100);
        expect(Array.from(prepared.columns.timestamp)).toEqual(rows.map(({ timestamp }) => timestamp));
        // A commit that fails leaves its records out.
        if (dropped) continue;
        partition.append(prepared, 0);
        offset += records;
        model.push(...rows);
      }
      if (compact) {
        const newest = new Map(model.map(({ key, offset: at }) => [key, at]));
        partition.maintain({ ...DEFAULT_TOPIC_CONFIG, cleanup: 'compact', minCompactionLagMs: 0 }, 1, offset);
        model = model.filter(({ key, offset: at }) => key === null || newest.get(key) === at);
      } else {
        partition.deleteBefore(seed % (offset + 1));
        model = model.filter(({ offset: at }) => at >= partition.start);
      }
      const from = partition.start + (seed % (offset - partition.start + 1));
      expect(readFrom(partition, from)).toEqual(model.filter(({ offset: at }) => at >= from));
      const time = (seed % given.length) * 100;
      expect(partition.offsetAt(time)).toBe(model.find(({ timestamp }) => timestamp >= time)?.offset ?? offset);
    }),
    { numRuns: 200 },
  );
});
