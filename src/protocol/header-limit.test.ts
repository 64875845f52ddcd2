import { expect, it } from 'vitest';
import type { Header } from '../record.ts';
import { RecordBatchBuilder } from './batch-builder.ts';
import { decodeBatch } from './batch-decoder.ts';

it('refuses the headers of a record that has too many, and nothing else', () => {
  const emptyHeaders = (length: number): Header[] => Array.from({ length }, (): Header => ['', null]);
  const builder = new RecordBatchBuilder();
  builder.append(1, 'a', 'x', [['h', null]]);
  builder.append(2, 'b', 'y', emptyHeaders(10_001));
  builder.append(3, 'c', 'z', emptyHeaders(10_000));
  const batch = decodeBatch(builder.finish(), 0);
  expect(batch.headers(0)).toEqual([['h', null]]);
  expect(() => batch.headers(1)).toThrow(expect.objectContaining({ code: 'ERR_HEADERS', errorClass: 'record' }));
  expect(batch.headers(2)).toHaveLength(10_000);
});
