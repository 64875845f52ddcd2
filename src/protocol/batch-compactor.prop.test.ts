import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { anyRecords, builderOf, expectedRows, rowsOf } from './batch.fixtures.ts';
import { stampBaseOffset } from './batch-builder.ts';
import { retainRecords } from './batch-compactor.ts';
import { decodeBatch } from './batch-decoder.ts';
import { ensureCodec } from './compression.ts';
import { encodeControlBatch } from './control-batch.ts';

beforeAll(() => ensureCodec('lz4'));

test('kept records keep their offsets, and the batch its end and its producer, however often it is compacted', () => {
  const compressions = fc.constantFrom('none' as const, 'lz4' as const);
  fc.assert(
    fc.property(anyRecords, fc.infiniteStream(fc.boolean()), compressions, (records, flags, compression) => {
      const encoded = builderOf(records).finish({ compression, producerId: 8n, producerEpoch: 1, baseSequence: 30 });
      stampBaseOffset(encoded, 500);
      const before = decodeBatch(encoded, 0);
      const kept = records.map((_, i) => i).filter(() => flags.next().value);
      const after = decodeBatch(retainRecords(before, kept), 0);
      const rows = expectedRows(records, 500);
      expect(rowsOf(after)).toEqual(kept.map((i) => rows[i]));
      expect(after).toMatchObject({
        baseOffset: 500,
        nextOffset: before.nextOffset,
        maxTimestamp: before.maxTimestamp,
        producerId: 8n,
        producerEpoch: 1,
        baseSequence: 30,
      });
      const again = decodeBatch(retainRecords(after, after.count === 0 ? [] : [after.count - 1]), 0);
      expect(rowsOf(again)).toEqual(kept.slice(-1).map((i) => rows[i]));
      expect(again.nextOffset).toBe(before.nextOffset);
    }),
    { numRuns: 500 },
  );
});

test('a control batch is not compacted', () => {
  const marker = encodeControlBatch({ marker: 'abort', timestamp: 1, producerId: 1n, producerEpoch: 0 });
  expect(() => retainRecords(decodeBatch(marker, 0), [])).toThrow(
    expect.objectContaining({ code: 'ERR_CONTROL_BATCH' }),
  );
});
