import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { anyRecords, builderOf, expectedRows, rowsOf } from './batch.fixtures.ts';
import { stampBaseOffset } from './batch-builder.ts';
import { decodeBatch, peekBatchHeader } from './batch-decoder.ts';
import { type Compression, ensureCodec } from './compression.ts';

const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'];
beforeAll(() => Promise.all(COMPRESSIONS.map(ensureCodec)));

const baseOffsets = fc.oneof(fc.nat(), fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 100 }));

test('any records come back from any batch, and its header agrees', () => {
  fc.assert(
    fc.property(anyRecords, fc.constantFrom(...COMPRESSIONS), baseOffsets, (records, compression, baseOffset) => {
      const builder = builderOf(records);
      const batch = builder.finish({ compression });
      stampBaseOffset(batch, baseOffset);
      const decoded = decodeBatch(batch, 0);
      // What does not become smaller goes as it is.
      const used = batch.length < builder.finish().length ? compression : 'none';
      expect(rowsOf(decoded)).toEqual(expectedRows(records, baseOffset));
      expect(decoded).toMatchObject({
        compression: used,
        baseOffset,
        nextOffset: baseOffset + records.length,
        maxTimestamp: Math.max(...records.map((record) => record.timestamp)),
        byteLength: batch.length,
      });
      const header = peekBatchHeader(batch, 0)!;
      expect(header).toMatchObject({
        baseOffset,
        nextOffset: decoded.nextOffset,
        count: records.length,
        compression: used,
      });
      expect(header.maxTimestamp).toBe(builder.maxTimestamp);
    }),
    { numRuns: 1000 },
  );
});

test('columns taken from a builder are those of its batch', () => {
  fc.assert(
    fc.property(anyRecords, (records) => {
      const builder = builderOf(records);
      expect(rowsOf(builder.columns(0))).toEqual(rowsOf(decodeBatch(builder.finish(), 0)));
    }),
    { numRuns: 300 },
  );
});
