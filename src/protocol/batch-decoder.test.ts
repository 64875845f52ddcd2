import { describe, expect, test } from 'vitest';
import { resealed } from './batch.fixtures.ts';
import { RecordBatchBuilder, stampBaseOffset } from './batch-builder.ts';
import { compressionOf, decodeBatch, decodeBatches, peekBatchHeader } from './batch-decoder.ts';
import * as at from './batch-format.ts';
import { sealBatch } from './batch-seal.ts';
import { encodeControlBatch } from './control-batch.ts';

function batchOf(count: number, baseOffset = 0): Uint8Array {
  const builder = new RecordBatchBuilder();
  for (let i = 0; i < count; i++) builder.append(1000 + i, `key-${i}`, `value-${i}`, []);
  const batch = builder.finish();
  stampBaseOffset(batch, baseOffset);
  return batch;
}

function changed(batch: Uint8Array, change: (view: DataView) => void): Uint8Array {
  const copy = batch.slice();
  change(new DataView(copy.buffer));
  return resealed(copy);
}

function manyRecords(view: DataView, count: number): void {
  view.setInt32(at.RECORD_COUNT, count);
  view.setInt32(at.LAST_OFFSET_DELTA, count);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

const corrupt = (details: object = {}): object =>
  expect.objectContaining({ name: 'StoreError', code: 'ERR_CORRUPT_BATCH', ...details });

describe('progress', () => {
  test('a batch emptied by compaction still moves on', () => {
    const batch = new Uint8Array(at.HEADER_BYTES);
    sealBatch(batch, {
      attributes: 1, // compressed, with nothing to decompress
      lastOffsetDelta: 9,
      baseTimestamp: -1,
      maxTimestamp: -1,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      count: 0,
    });
    stampBaseOffset(batch, 40);
    expect(decodeBatch(batch, 0)).toMatchObject({ count: 0, baseOffset: 40, nextOffset: 50, lastOffsetDelta: 9 });
  });

  test('a batch whose last records were compacted away ends where it ended before', () => {
    const batch = changed(batchOf(3, 40), (view) => view.setInt32(at.LAST_OFFSET_DELTA, 9));
    expect(decodeBatch(batch, 0)).toMatchObject({ count: 3, nextOffset: 50 });
    expect(peekBatchHeader(batch, 0)?.nextOffset).toBe(50);
  });

  test.each(['commit', 'abort'] as const)('a control batch (%s) has no records, and says what it marks', (marker) => {
    const batch = encodeControlBatch({ marker, timestamp: 77, producerId: 5n, producerEpoch: 2, coordinatorEpoch: 3 });
    expect(Buffer.from(batch.subarray(at.HEADER_BYTES)).toString('hex')).toBe(
      `2000000008${marker === 'commit' ? '00000001' : '00000000'}0c00000000000300`,
    );
    stampBaseOffset(batch, 12);
    expect(decodeBatch(batch, 0)).toMatchObject({
      count: 0,
      control: true,
      marker,
      transactional: true,
      nextOffset: 13,
      producerId: 5n,
      producerEpoch: 2,
    });
  });
});

test('with log append time, every record has the time of the batch', () => {
  const batch = changed(batchOf(3), (view) => {
    view.setInt16(at.ATTRIBUTES, at.LOG_APPEND_TIME_FLAG);
    view.setInt32(at.MAX_TIMESTAMP, 400);
    view.setInt32(at.MAX_TIMESTAMP + 4, 7);
  });
  const decoded = decodeBatch(batch, 0);
  expect(decoded.logAppendTime).toBe(true);
  expect([...decoded.timestamp]).toEqual([1, 1, 1].map(() => 400 * 2 ** 32 + 7));
});

describe('a fetch buffer', () => {
  const first = batchOf(2, 10);
  const second = batchOf(3, 12);
  const buffer = concat(first, second, batchOf(5, 15));

  test('every cut leaves the whole batches before it', () => {
    const whole = first.length + second.length;
    for (let length = 0; length < buffer.length; length++) {
      const batches = [...decodeBatches(buffer.subarray(0, length))];
      expect(batches.length, `cut at ${length}`).toBe(length < first.length ? 0 : length < whole ? 1 : 2);
    }
  });

  test('the iteration returns where the cut-off batch begins', () => {
    const iterator = decodeBatches(buffer.subarray(0, buffer.length - 1));
    expect([iterator.next().value, iterator.next().value]).toMatchObject([{ nextOffset: 12 }, { nextOffset: 15 }]);
    expect(iterator.next()).toEqual({ done: true, value: first.length + second.length });
  });

  test('headers can be looked at one after the other', () => {
    const offsets: number[] = [];
    for (let start = 0; ; ) {
      const header = peekBatchHeader(buffer, start);
      if (header === undefined) break;
      offsets.push(header.baseOffset);
      start += header.byteLength;
    }
    expect(offsets).toEqual([10, 12, 15]);
    expect(compressionOf(buffer, first.length)).toBe('none');
    expect(compressionOf(buffer, buffer.length)).toBeUndefined();
  });

  test('a Buffer inside a larger memory is read like any bytes', () => {
    const memory = Buffer.concat([Buffer.alloc(3), buffer]);
    const decoded = decodeBatch(memory.subarray(3), first.length);
    const start = decoded.keyStart[2]!;
    expect(Buffer.from(decoded.bytes.subarray(start, start + 5)).toString()).toBe('key-2');
    expect(decoded.bytes.constructor).toBe(Uint8Array);
  });
});

describe('damage is named', () => {
  const place = { topic: 'clicks', partition: 3 };
  const batch = batchOf(4, 100);

  test('a flipped bit: the checksum, with the range of offsets', () => {
    const broken = batch.slice();
    broken[broken.length - 2]! ^= 1;
    expect(() => decodeBatch(broken, 0, place)).toThrow(
      corrupt({ topic: 'clicks', partition: 3, offset: 100, lastOffset: 103 }),
    );
    expect(() => decodeBatch(broken, 0, place)).toThrow(/checksum.*\[clicks\/3@100\.\.103\]/);
    expect(decodeBatch(broken, 0, { ...place, checkCrc: false }).count).toBe(4);
  });

  test.each<[string, (view: DataView) => void, RegExp]>([
    ['more records than bytes', (v) => v.setInt32(at.RECORD_COUNT, 2 ** 30), /claims 1073741824 records/],
    ['more records than bytes and offsets', (v) => manyRecords(v, 2 ** 30), /cannot fit/],
    ['fewer records than there are', (v) => v.setInt32(at.RECORD_COUNT, 3), /left over/],
    ['a negative number of records', (v) => v.setInt32(at.RECORD_COUNT, -1), /claims -1 records/],
    ['a negative last offset delta', (v) => v.setInt32(at.LAST_OFFSET_DELTA, -1), /offsets 100 \+ -1/],
    ['an offset beyond 2^53 − 1', (v) => v.setInt32(at.BASE_OFFSET, 2 ** 30), /2\^53/],
    ['a negative offset', (v) => v.setInt32(at.BASE_OFFSET, -1), /offsets/],
    ['the format before 0.11', (v) => v.setInt8(at.MAGIC, 1), /format is 1/],
    ['an unknown compression', (v) => v.setInt16(at.ATTRIBUTES, 5), /compression number 5/],
    ['a length shorter than a header', (v) => v.setInt32(at.BATCH_LENGTH, 48), /length field says 48/],
    ['a length longer than the buffer', (v) => v.setInt32(at.BATCH_LENGTH, 2 ** 31 - 1), /cut off/],
    ['a record longer than the batch', (v) => v.setUint8(at.HEADER_BYTES, 0x7e), /record 0 does not end/],
    ['a wrong offset delta', (v) => v.setUint8(at.HEADER_BYTES + 3, 2), /offset delta 1 out of order/],
    ['a key longer than its record', (v) => v.setUint8(at.HEADER_BYTES + 4, 0x7e), /record 0 has a key/],
    ['headers that are not there', (v) => v.setUint8(at.HEADER_BYTES + 18, 0x7e), /record 0 does not end/],
  ])('%s', (_title, change, message) => {
    const broken = changed(batch, change);
    expect(() => decodeBatch(broken, 0)).toThrow(corrupt());
    expect(() => decodeBatch(broken, 0)).toThrow(message);
  });

  test('an uncompressed batch over the limit is refused too', () => {
    expect(() => decodeBatch(batch, 0, { maxOutputBytes: 20 })).toThrow(
      expect.objectContaining({ code: 'ERR_BATCH_TOO_LARGE', offset: 100, lastOffset: 103 }),
    );
  });
});

describe('timestamps beyond 2^53 − 1', () => {
  /** Two records, the second so many ms after the first. */
  const two = (base: bigint, delta: number): number[] => {
    const builder = new RecordBatchBuilder();
    builder.append(1_000_000, null, 'a', []);
    builder.append(1_000_000 + delta, null, 'b', []);
    return [
      ...decodeBatch(
        changed(builder.finish(), (v) => v.setBigInt64(at.BASE_TIMESTAMP, base)),
        0,
      ).timestamp,
    ];
  };

  test('damage nothing: the others of the batch are exact', () => {
    for (const base of [2n ** 53n, 1_764_000_000_000_000_000n, 2n ** 63n - 1n, -(2n ** 53n), -(2n ** 63n)]) {
      for (const delta of [0, 1, -1, 63, -700_000]) {
        const exact = [base, BigInt.asIntN(64, base + BigInt(delta))].map(Number);
        expect(two(base, delta), `${base} ${delta}`).toEqual(exact);
      }
    }
    expect(two(2n ** 53n + 250n, -500), 'in range after all').toEqual([Number(2n ** 53n + 250n), 2 ** 53 - 250]);
    expect(two(BigInt(Number.MAX_SAFE_INTEGER), 1)[1]).toBe(2 ** 53);
  });

  test('are counted from with deltas of any size', () => {
    const good = 1_764_000_000_123n;
    const nanoseconds = good * 1_000_000n + 77n;
    expect(decodeBatch(withDelta(nanoseconds, good - nanoseconds), 0).timestamp[1]).toBe(Number(good));
    expect(decodeBatch(withDelta(good, nanoseconds - good), 0).timestamp[0]).toBe(Number(good));
    expect(decodeBatch(withDelta(good, nanoseconds - good), 0).timestamp[1]).toBeGreaterThan(2 ** 53);
  });

  /** Two records, the second so many ms after the first: more than a builder takes. */
  function withDelta(base: bigint, delta: bigint): Uint8Array {
    const varlong: number[] = [];
    for (let raw = BigInt.asUintN(64, (delta << 1n) ^ (delta >> 63n)); ; raw >>= 7n) {
      if (raw < 0x80n) {
        varlong.push(Number(raw));
        break;
      }
      varlong.push(Number(raw & 0x7fn) | 0x80);
    }
    const body = [0, ...varlong, 2, 1, 2, 0x62, 0];
    const records = Uint8Array.of(14, 0, 0, 0, 1, 2, 0x61, 0, 2 * body.length, ...body);
    const batch = new Uint8Array(at.HEADER_BYTES + records.length);
    batch.set(records, at.HEADER_BYTES);
    sealBatch(batch, {
      attributes: 0,
      lastOffsetDelta: 1,
      baseTimestamp: 0,
      maxTimestamp: 0,
      producerId: -1n,
      producerEpoch: -1,
      baseSequence: -1,
      count: 2,
    });
    return changed(batch, (v) => v.setBigInt64(at.BASE_TIMESTAMP, base));
  }
});
