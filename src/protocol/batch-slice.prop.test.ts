import { array, assert as check, constantFrom, integer, option, property, record, uint8Array } from 'fast-check';
import { expect, it } from 'vitest';
import { rowsOf } from './batch.fixtures.ts';
import { RecordBatchBuilder } from './batch-builder.ts';
import { decodeBatch, peekBatchHeader } from './batch-decoder.ts';
import { stampBaseOffset } from './batch-header.ts';
import { decodedBytes, decodeSlice, findSlice } from './batch-slice.ts';
import { ensureCodec } from './compression.ts';
import { unpackBatch } from './unpack-batch.ts';

await ensureCodec('gzip');

const row = record({
  timestamp: integer({ min: 0, max: 1_000_000 }),
  key: option(uint8Array({ maxLength: 5 })),
  value: option(uint8Array({ maxLength: 300 })),
});

it('slices of a batch hold together what the whole holds, each within its bound', () => {
  check(
    property(
      array(row, { minLength: 1, maxLength: 60 }),
      constantFrom('none' as const, 'gzip' as const),
      integer({ min: 1, max: 3000 }),
      integer({ min: 0, max: 1_000_000 }),
      (rows, compression, maxBytes, baseOffset) => {
        const builder = new RecordBatchBuilder();
        for (const { key, timestamp, value } of rows) builder.append(timestamp, key, value, [['h', key]]);
        const bytes = builder.finish({ compression });
        stampBaseOffset(bytes, baseOffset);
        const header = peekBatchHeader(bytes, 0)!;
        const unpacked = unpackBatch(bytes, 0, header, {});
        const slices = [];
        let total = 0;
        for (let offset = baseOffset; offset < header.nextOffset; ) {
          const range = findSlice(unpacked, offset, maxBytes);
          const slice = decodeSlice(unpacked, range);
          expect(slice.count).toBeGreaterThan(0);
          if (slice.count > 1) expect(range.bytes).toBeLessThanOrEqual(maxBytes);
          if (header.compression !== 'none') expect(slice.bytes.buffer.byteLength).toBeLessThanOrEqual(range.bytes);
          total += range.bytes;
          slices.push(...rowsOf(slice));
          offset = slice.nextOffset;
        }
        expect(slices).toEqual(rowsOf(decodeBatch(bytes, 0)));
        expect(total).toBe(decodedBytes(unpacked));
      },
    ),
    { numRuns: 300 },
  );
});

it('a number of records that there is no room for is refused before anything is allocated', () => {
  const builder = new RecordBatchBuilder();
  builder.append(1, null, 'x', []);
  const bytes = builder.finish();
  const view = new DataView(bytes.buffer);
  view.setInt32(23, 2_000_000_000);
  view.setInt32(57, 2_000_000_001);
  const header = peekBatchHeader(bytes, 0)!;
  const unpacked = unpackBatch(bytes, 0, header, { checkCrc: false, topic: 't', partition: 3 });
  const damaged = { code: 'ERR_CORRUPT_BATCH', topic: 't', partition: 3, offset: 0, lastOffset: 2_000_000_000 };
  expect(() => findSlice(unpacked, 0, 1000)).toThrow(expect.objectContaining(damaged));
});
