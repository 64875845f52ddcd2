import { createRequire } from 'node:module';
import * as fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import type { Header } from '../record.ts';
import { anyRecord, asBytes, builderOf, type PlainRecord, rowsOf } from './batch.fixtures.ts';
import { stampBaseOffset } from './batch-builder.ts';
import { decodeBatch, decodeBatches } from './batch-decoder.ts';
import { ensureCodec } from './compression.ts';

/** The parts of kafkajs that encode and decode record batches, as its producer and fetch responses use them. */
interface Encoder {
  readonly buffer: Buffer;
  writeBytes(bytes: Buffer): Encoder;
}
type KafkaJsHeaders = Record<string, Buffer | string | null | (Buffer | string | null)[]>;
interface DecodedRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: KafkaJsHeaders;
  readonly batchContext: {
    readonly producerId: string;
    readonly producerEpoch: number;
    readonly inTransaction: boolean;
  };
}
const require = createRequire(import.meta.url);
const Record: (record: object) => Encoder = require('kafkajs/src/protocol/recordBatch/record/v0');
const {
  RecordBatch,
}: { readonly RecordBatch: (batch: object) => Promise<Encoder> } = require('kafkajs/src/protocol/recordBatch/v0');
const decodeMessages: (
  decoder: object,
) => Promise<DecodedRecord[]> = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
const Decoder: new (buffer: Buffer) => object = require('kafkajs/src/protocol/decoder');
const EncoderClass: new () => Encoder = require('kafkajs/src/protocol/encoder');

beforeAll(() => ensureCodec('gzip'));

/** kafkajs collects headers in an object: one value for a single name, a list for a repeated one. */
function grouped(headers: readonly Header[]): Map<string, (string | null)[]> {
  const groups = new Map<string, (string | null)[]>();
  for (const [name, value] of headers) {
    const values = groups.get(name) ?? [];
    values.push(value === null ? null : Buffer.from(value).toString('hex'));
    groups.set(name, values);
  }
  return groups;
}

function groupedByKafkaJs(headers: KafkaJsHeaders): Map<string, (string | null)[]> {
  const hex = (value: Buffer | string | null): string | null =>
    value === null ? null : Buffer.from(value).toString('hex');
  return new Map(Object.entries(headers).map(([name, value]) => [name, [value].flat().map(hex)]));
}

const buffer = (value: Uint8Array | string | null): Buffer | null => {
  const bytes = asBytes(value);
  return bytes === null ? null : Buffer.from(bytes);
};
// kafkajs looks a header up in a plain object, where these names are already there: `toString`, `constructor`, `__proto__`…
const representable = (record: PlainRecord): boolean => record.headers.every(([name]) => !(name in {}));
const records = fc.array(anyRecord.filter(representable), { minLength: 1, maxLength: 8 });

test('kafkajs reads what we write', async () => {
  const compression = fc.constantFrom('none' as const, 'gzip' as const);
  await fc.assert(
    fc.asyncProperty(fc.array(records, { minLength: 1, maxLength: 3 }), compression, async (batches, how) => {
      let offset = 2 ** 40;
      const encoded = batches.map((list) => {
        const batch = builderOf(list).finish({
          compression: how,
          producerId: 9n,
          producerEpoch: 4,
          transactional: true,
        });
        stampBaseOffset(batch, offset, 1);
        offset += list.length;
        return batch;
      });
      const framed = new EncoderClass().writeBytes(Buffer.concat(encoded)).buffer;
      const read = await decodeMessages(new Decoder(framed));
      expect(
        read.map(({ headers, key, value, ...rest }) => ({
          offset: rest.offset,
          timestamp: rest.timestamp,
          key: key && Buffer.from(key),
          value: value && Buffer.from(value),
          headers: groupedByKafkaJs(headers),
          producer: [rest.batchContext.producerId, rest.batchContext.producerEpoch, rest.batchContext.inTransaction],
        })),
      ).toEqual(
        batches.flat().map(({ timestamp, key, value, headers }, i) => ({
          offset: String(2 ** 40 + i),
          timestamp: String(timestamp),
          key: buffer(key),
          value: buffer(value),
          headers: grouped(headers),
          producer: ['9', 4, true],
        })),
      );
    }),
    { numRuns: 500 },
  );
});

test('we read what kafkajs writes', async () => {
  // kafkajs cannot write a header whose value is null, and writes the values of one name together.
  const writable = anyRecord.filter(representable).map((record) => ({
    ...record,
    headers: record.headers.map(([name, value]) => [name, value ?? new Uint8Array(0)] as const),
  }));
  await fc.assert(
    fc.asyncProperty(fc.array(writable, { minLength: 1, maxLength: 8 }), fc.constantFrom(0, 1), async (list, codec) => {
      const first = list[0]!.timestamp;
      const maxTimestamp = Math.max(...list.map((record) => record.timestamp));
      const headersOf = (record: PlainRecord): KafkaJsHeaders => {
        const headers: KafkaJsHeaders = {};
        for (const [name, value] of record.headers) {
          headers[name] = [...[headers[name] ?? []].flat(), Buffer.from(value!)];
        }
        return headers;
      };
      const encoded = await RecordBatch({
        compression: codec,
        firstOffset: 5,
        firstTimestamp: first,
        maxTimestamp,
        lastOffsetDelta: list.length - 1,
        producerId: 9,
        producerEpoch: 4,
        firstSequence: 12,
        transactional: true,
        records: list.map((record, i) =>
          Record({
            offsetDelta: i,
            timestampDelta: record.timestamp - first,
            key: buffer(record.key),
            value: buffer(record.value),
            headers: headersOf(record),
          }),
        ),
      });
      const bytes = new Uint8Array(encoded.buffer);
      const decoded = decodeBatch(bytes, 0);
      expect(decoded).toMatchObject({
        maxTimestamp,
        producerId: 9n,
        producerEpoch: 4,
        baseSequence: 12,
        transactional: true,
      });
      expect(rowsOf(decoded)).toEqual(
        list.map((record, i) => ({
          offset: 5 + i,
          timestamp: record.timestamp,
          key: asBytes(record.key),
          value: asBytes(record.value),
          headers: Object.entries(headersOf(record)).flatMap(([name, values]) =>
            [values].flat().map((value) => [name, new Uint8Array(value as Buffer)]),
          ),
        })),
      );
      expect([...decodeBatches(bytes)].length).toBe(1);
    }),
    { numRuns: 500 },
  );
});
