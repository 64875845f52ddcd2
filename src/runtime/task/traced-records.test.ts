import { expect, it } from 'vitest';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { decodeBatch } from '../../protocol/batch-decoder.ts';
import type { RecordColumns } from '../../protocol/columns.ts';
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
