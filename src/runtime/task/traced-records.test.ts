import { expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
import { MAX_HEADERS } from '../../protocol/header-limit.ts';
import type { Headers } from '../../record.ts';
import { TracedRecords } from './traced-records.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** A batch of records with these headers. */
function batchOf(baseOffset: number, headers: readonly Headers[]): RecordColumns {
  const none = new Int32Array(headers.length);
  return {
    count: headers.length,
    baseOffset,
    nextOffset: baseOffset + headers.length,
    bytes: new Uint8Array(0),
    offsetDelta: Int32Array.from(headers, (_, at) => at),
    timestamp: new Float64Array(headers.length),
    keyStart: none,
    keyLength: none,
    valueStart: none,
    valueLength: none,
    headers: (at) => headers[at] as Headers,
  };
}

const traced: Headers = [['traceparent', text(PARENT)]];
const offsets = (records: readonly { readonly offset: number }[]): number[] => records.map(({ offset }) => offset);

it('looks at nothing while nobody listens', () => {
  const records = new TracedRecords(() => false);
  records.see('t', 0, 0, {
    ...batchOf(0, [traced]),
    headers: () => {
      throw new Error('looked at');
    },
  });
  expect(records.take('t', 0, 10)).toEqual([]);
});

it('does not look at records of which it is known that none has headers', () => {
  const records = new TracedRecords(() => true);
  records.see('t', 0, 0, {
    ...batchOf(0, [[]]),
    mayHaveHeaders: false,
    headers: () => {
      throw new Error('looked at');
    },
  });
  const built = new RecordBatchBuilder();
  built.append(1, null, 'a', []);
  expect(decodeBatch(built.finish(), 0).mayHaveHeaders).toBe(false);
  built.append(1, null, 'a', []);
  built.append(1, null, 'a', traced);
  expect(decodeBatch(built.finish(), 0).mayHaveHeaders).toBe(true);
});

it('gives each record once, with the commit that covers it', () => {
  const records = new TracedRecords(() => true);
  records.see('t', 0, 6, batchOf(5, [traced, traced, [], traced]));
  records.see('t', 1, 0, batchOf(0, [[...traced, ['tracestate', text('a=b')]]]));
  expect(offsets(records.take('t', 0, 7))).toEqual([6]);
  expect(offsets(records.take('t', 0, 9))).toEqual([8]);
  expect(records.take('t', 0, 9)).toEqual([]);
  expect(records.take('t', 1, 1)).toEqual([
    { topic: 't', partition: 1, offset: 0, traceparent: PARENT, tracestate: 'a=b' },
  ]);
});

it('is bounded, in number and in what it takes of a header', () => {
  const records = new TracedRecords(() => true);
  records.see(
    't',
    0,
    0,
    batchOf(
      0,
      Array.from({ length: 300 }, () => traced),
    ),
  );
  expect(records.take('t', 0, 300)).toHaveLength(128);
  const large = new Uint8Array(1_000_000).fill(97);
  records.see(
    't',
    0,
    300,
    batchOf(300, [[['traceparent', large]], [...traced, ['tracestate', large]], [['traceparent', null]]]),
  );
  expect(records.take('t', 0, 400)).toEqual([
    { topic: 't', partition: 0, offset: 301, traceparent: PARENT, tracestate: undefined },
  ]);
});

it('forgets what is read again from elsewhere', () => {
  const records = new TracedRecords(() => true);
  records.see('t', 0, 0, batchOf(0, [traced]));
  records.forget('t', 0);
  expect(records.take('t', 0, 10)).toEqual([]);
});

/** The same, as tasks get it: encoded and decoded. */
function decoded(headers: readonly Headers[]): RecordColumns {
  const built = new RecordBatchBuilder();
  for (const each of headers) built.append(1, null, 'a', each);
  return decodeBatch(built.finish(), 0);
}

it('decodes the headers of those records only that are in a trace', () => {
  const records = new TracedRecords(() => true);
  const batch = decoded([[['other', null]], [['traceparenu', text('a')]], [...traced, ['other', text('b')]], []]);
  const looked: number[] = [];
  const headers = batch.headers.bind(batch);
  batch.headers = (at) => {
    looked.push(at);
    return headers(at);
  };
  records.see('t', 0, 0, batch);
  expect(offsets(records.take('t', 0, 10))).toEqual([2]);
  expect(looked).toEqual([2]);
});

it('passes by a record with more headers than are read', () => {
  const records = new TracedRecords(() => true);
  const many: Headers = Array.from({ length: MAX_HEADERS + 1 }, () => ['traceparent', text(PARENT)]);
  records.see('t', 0, 0, decoded([many, traced]));
  expect(offsets(records.take('t', 0, 10))).toEqual([1]);
});

it('shares what is kept between two commits among the partitions that have traces', () => {
  const records = new TracedRecords(() => true);
  const many = decoded(Array.from({ length: 300 }, () => traced));
  const seen = (partitions: number): number[] => {
    for (let partition = 0; partition < partitions; partition += 1) records.see('t', partition, 0, many);
    records.divide();
    return Array.from({ length: partitions }, (_, partition) => records.take('t', partition, 300).length);
  };
  expect(seen(4)).toEqual([128, 128, 128, 128]);
  expect(seen(4)).toEqual([32, 32, 32, 32]);
  // One is left: it has all of it from the next commit on.
  expect(seen(1)).toEqual([32]);
  expect(seen(1)).toEqual([128]);
  expect(seen(200).slice(0, 2)).toEqual([128, 128]);
  expect(new Set(seen(200))).toEqual(new Set([1]));
});
