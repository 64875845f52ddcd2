import { expect, test } from 'vitest';
import { RecordBatchBuilder, stampBaseOffset } from './batch-builder.ts';
import { decodeBatch, decodeBatches, peekBatchHeader } from './batch-decoder.ts';

const utf8 = new TextEncoder();
const text = new TextDecoder();

test('records come back as they were appended', () => {
  const builder = new RecordBatchBuilder(16);
  builder.append(1000, 'k1', 'v1', []);
  builder.append(900, null, utf8.encode('v2'), [['h', utf8.encode('x')], ['h', null]]);
  builder.append(2 ** 53 - 1, 'ключ', null, []);
  const bytes = builder.finish();
  expect(bytes.length).toBe(builder.sizeInBytes);
  stampBaseOffset(bytes, 2 ** 40);
  const batch = decodeBatch(bytes, 0);
  expect(batch.baseOffset).toBe(2 ** 40);
  expect(batch.nextOffset).toBe(2 ** 40 + 3);
  expect([...batch.timestamp]).toEqual([1000, 900, 2 ** 53 - 1]);
  expect([...batch.keyLength]).toEqual([2, -1, 8]);
  expect([...batch.valueLength]).toEqual([2, 2, -1]);
  expect(text.decode(batch.bytes.subarray(batch.keyStart[2], batch.keyStart[2]! + 8))).toBe('ключ');
  expect(batch.headers(0)).toEqual([]);
  expect(batch.headers(1)).toEqual([['h', utf8.encode('x')], ['h', null]]);
  expect([...decodeBatches(bytes)].length).toBe(1);
  expect(peekBatchHeader(bytes, 0)?.count).toBe(3);
});
