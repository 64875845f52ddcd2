import { expect, test } from 'vitest';
import type { Headers } from '../record.ts';
import { expectedRows, rowsOf } from './batch.fixtures.ts';
import { RecordBatchBuilder, stampBaseOffset } from './batch-builder.ts';
import { decodeBatch, peekBatchHeader } from './batch-decoder.ts';
import { ensureCodec } from './compression.ts';

const utf8 = new TextEncoder();

test('a small batch has exactly the bytes of the format', () => {
  const builder = new RecordBatchBuilder();
  builder.append(1000, 'k', null, [['h', Uint8Array.of(9)]]);
  const hex = Buffer.from(builder.finish()).toString('hex');
  expect(hex.slice(0, 34)).toBe('00000000000000000000003dffffffff02');
  expect(hex.slice(42)).toBe(
    '0000' + // attributes
      '00000000' + // last offset delta
      '00000000000003e8' + // base timestamp
      '00000000000003e8' + // max timestamp
      'ffffffffffffffff' + // producer id
      'ffff' + // producer epoch
      'ffffffff' + // base sequence
      '00000001' + // records
      '16' + // length 11
      '00' + // attributes
      '00' + // timestamp delta
      '00' + // offset delta
      '026b' + // key
      '01' + // null value
      '02' + // one header
      '0268' + // name
      '0209', // value
  );
});

test('text is UTF-8 with the shortest length, whatever its script and size', () => {
  const texts = [
    '',
    'a',
    'é',
    'я'.repeat(33),
    '語'.repeat(30),
    'a'.repeat(63),
    'a'.repeat(64),
    '😀'.repeat(3000),
    '\ud800x',
    'ab\udc00',
  ];
  const builder = new RecordBatchBuilder(1);
  for (const text of texts) builder.append(5, text, text, [[text, null]]);
  const records = texts.map((text) => ({ timestamp: 5, key: text, value: text, headers: [[text, null] as const] }));
  const fromText = builder.finish();
  expect(rowsOf(decodeBatch(fromText, 0))).toEqual(expectedRows(records, 0));

  const fromBytes = new RecordBatchBuilder();
  for (const text of texts) fromBytes.append(5, utf8.encode(text), utf8.encode(text), [[text, null]]);
  expect(fromBytes.finish()).toEqual(fromText);
});

test('an append that fails leaves the builder as it was', () => {
  const builder = new RecordBatchBuilder();
  builder.append(10, 'a', 'b', []);
  const before = builder.finish();
  for (const timestamp of [Number.NaN, 1.5, -2, 2 ** 53, Number.POSITIVE_INFINITY]) {
    expect(() => builder.append(timestamp, 'x', 'y', []), `${timestamp}`).toThrow(
      expect.objectContaining({ code: 'ERR_TIMESTAMP', errorClass: 'record' }),
    );
  }
  const broken: Headers = new Proxy<Headers>([['fine', null]], {
    get: (target, name) => {
      if (name === '1') throw new Error('no such header');
      return name === 'length' ? 2 : Reflect.get(target, name);
    },
  });
  expect(() => builder.append(11, 'x', 'y', broken)).toThrow('no such header');
  expect(builder.finish()).toEqual(before);
  expect([builder.count, builder.maxTimestamp]).toEqual([1, 10]);
});

test('what is finished does not change with the builder, and a builder can be reused', () => {
  const builder = new RecordBatchBuilder();
  expect([builder.count, builder.sizeInBytes, builder.maxTimestamp]).toEqual([0, 61, -1]);
  builder.append(7, 'a', 'first', []);
  builder.append(3, 'a', 'second', []);
  expect([builder.count, builder.maxTimestamp]).toEqual([2, 7]);
  const first = builder.finish();
  const copy = first.slice();
  expect(builder.finish()).toEqual(first);
  expect(builder.sizeInBytes).toBe(first.length);
  builder.reset();
  expect([builder.count, builder.sizeInBytes, builder.maxTimestamp]).toEqual([0, 61, -1]);
  builder.append(99, 'b', 'third', []);
  expect(first).toEqual(copy);
  expect([...decodeBatch(builder.finish(), 0).timestamp]).toEqual([99]);
});

test('an empty batch is refused', () => {
  expect(() => new RecordBatchBuilder().finish()).toThrow(expect.objectContaining({ code: 'ERR_EMPTY_BATCH' }));
});

test('the base offset is stamped outside of the checksum', () => {
  const builder = new RecordBatchBuilder();
  builder.append(1, 'a', 'b', []);
  builder.append(2, 'a', 'b', []);
  const batch = builder.finish({ producerId: 2n ** 40n, producerEpoch: 3, baseSequence: 77, transactional: true });
  stampBaseOffset(batch, 2 ** 52 + 1, 12);
  const decoded = decodeBatch(batch, 0);
  expect(decoded).toMatchObject({
    baseOffset: 2 ** 52 + 1,
    nextOffset: 2 ** 52 + 3,
    producerId: 2n ** 40n,
    producerEpoch: 3,
    baseSequence: 77,
    transactional: true,
    control: false,
    marker: undefined,
  });
  expect(peekBatchHeader(batch, 0)?.leaderEpoch).toBe(12);
});

test('columns can be had without encoding a batch', () => {
  const builder = new RecordBatchBuilder();
  builder.append(4, 'a', null, [['h', null]]);
  builder.append(2, null, 'value', []);
  const columns = builder.columns(100);
  const decoded = builder.finish();
  stampBaseOffset(decoded, 100);
  builder.reset();
  builder.append(9, 'zzzz', 'zzzz', []);
  expect(rowsOf(columns)).toEqual(rowsOf(decodeBatch(decoded, 0)));
  expect([columns.count, columns.baseOffset, columns.nextOffset]).toEqual([2, 100, 102]);
});

test('a batch of 200,000 records', () => {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < 200_000; i++) builder.append(1_700_000_000_000 + i * 1000, `key-${i}`, `value-${i}`, []);
  const decoded = decodeBatch(builder.finish(), 0);
  expect(decoded.count).toBe(200_000);
  expect(decoded.offsetDelta[199_999]).toBe(199_999);
  expect(decoded.timestamp[199_999]).toBe(1_700_000_000_000 + 199_999_000);
  const start = decoded.valueStart[199_999]!;
  expect(Buffer.from(decoded.bytes.subarray(start, start + decoded.valueLength[199_999]!)).toString()).toBe(
    'value-199999',
  );
});

test.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
  'what %s does not make smaller is written as it is',
  async (compression) => {
    await ensureCodec(compression);
    const builder = new RecordBatchBuilder();
    builder.append(1, null, 'a', []);
    expect(builder.finish({ compression })).toEqual(builder.finish());
    builder.reset();
    let seed = 1;
    const noise = Uint8Array.from(
      { length: 100_000 },
      () => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) >>> 24,
    );
    builder.append(1, null, noise, []);
    expect(builder.finish({ compression }).length).toBeLessThanOrEqual(builder.sizeInBytes);
  },
);
