import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import { FetchedRows } from './fetched-rows.ts';

const header = fc.tuple(
  fc.constantFrom('a', 'trace', 'traceparent', 'traceparenu', 'Traceparent', 'é', ''),
  fc.option(fc.uint8Array({ maxLength: 200 })),
);

it('finds the records that decoding their headers finds', () => {
  const name = new TextEncoder().encode('traceparent');
  fc.assert(
    fc.property(
      fc.array(fc.array(header, { maxLength: 4 }), { minLength: 1 }),
      fc.nat(20),
      fc.nat(20),
      (records, skipped, from) => {
        const built = new RecordBatchBuilder();
        for (const each of records) built.append(1, null, 'value', each);
        const batch = decodeBatch(built.finish(), 0);
        const skip = Math.min(skipped, records.length - 1);
        const end = Math.max(skip + 1, records.length - 2);
        for (const rows of [batch, new FetchedRows(batch, 0, records.length, records.length, skip, end)]) {
          const first = Math.min(from, rows.count);
          let wanted = first;
          while (wanted < rows.count && !rows.headers(wanted).some(([each]) => each === 'traceparent')) wanted += 1;
          expect(rows.nextWithHeader?.(name, first)).toBe(wanted);
        }
      },
    ),
  );
});
