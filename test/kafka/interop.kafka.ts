import { createRequire } from 'node:module';
import {
  array,
  asyncProperty,
  assert as check,
  constant,
  dictionary,
  integer,
  oneof,
  record,
  string,
  uint8Array,
} from 'fast-check';
import { CompressionTypes, type IHeaders, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { FetchedBatch, Transport } from '../../src/log/transport.ts';
import { RecordBatchBuilder } from '../../src/protocol/batch-builder.ts';
import { type Compression, compress, decompress, ensureCodec } from '../../src/protocol/compression.ts';
import type { Headers } from '../../src/record.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { unique, watch } from '../contract/support.ts';

interface Message {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, Uint8Array>>;
}

const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const satisfies readonly Compression[];
const kafkajsCodecs = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const;
const bytes = uint8Array({ maxLength: 40 });
const message = record<Message>({
  key: oneof(constant(null), bytes),
  value: oneof(constant(null), bytes),
  // Brokers refuse times of the future.
  timestamp: integer({ min: 1, max: 1_700_000_000_000 }),
  headers: dictionary(string({ minLength: 1, maxLength: 5 }), bytes, { maxKeys: 3, noNullPrototype: true }),
});
const messages = array(message, { minLength: 1, maxLength: 20 });
const hex = (data: Uint8Array | null): string | null => (data === null ? null : Buffer.from(data).toString('hex'));

interface Plain {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string | null>>;
}

const plain = ({ key, value, timestamp, headers }: Message): Plain => ({
  key: hex(key),
  value: hex(value),
  timestamp,
  headers: Object.fromEntries(Object.entries(headers).map(([name, data]) => [name, hex(data)])),
});

let transport: Transport;
const kafka = new Kafka({ brokers: [...inject('brokers')], clientId: 'kafkajs', logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const producer = kafka.producer();

beforeAll(async () => {
  // kafkajs knows gzip only; it is taught the others with our codecs, so that its framing is what is tested here.
  const { CompressionCodecs } = createRequire(import.meta.url)('kafkajs') as {
    CompressionCodecs: Record<number, unknown>;
  };
  for (const [id, name] of [
    [CompressionTypes.Snappy, 'snappy'],
    [CompressionTypes.LZ4, 'lz4'],
    [CompressionTypes.ZSTD, 'zstd'],
  ] as const) {
    await ensureCodec(name);
    CompressionCodecs[id] = () => ({
      compress: async ({ buffer }: { readonly buffer: Buffer }) => Buffer.from(compress(name, buffer)),
      decompress: async (buffer: Buffer) => Buffer.from(decompress(name, buffer, 1 << 26)),
    });
  }
  transport = await kafkaTransport({ brokers: inject('brokers') })();
  await Promise.all([admin.connect(), producer.connect()]);
});

afterAll(async () => {
  await Promise.all([transport.close(), admin.disconnect(), producer.disconnect()]);
});

function rows(batch: FetchedBatch): Plain[] {
  const part = (start: number, length: number): string | null =>
    length < 0 ? null : hex(batch.bytes.subarray(start, start + length));
  return Array.from({ length: batch.count }, (_, i) => ({
    key: part(batch.keyStart[i]!, batch.keyLength[i]!),
    value: part(batch.valueStart[i]!, batch.valueLength[i]!),
    timestamp: batch.timestamp[i]!,
    headers: Object.fromEntries(batch.headers(i).map(([name, data]) => [name, hex(data)])),
  }));
}

async function read(topic: string, from: number, count: number): Promise<Plain[]> {
  const { fetcher, next } = watch(transport);
  const found: Plain[] = [];
  let woken = next();
  fetcher.assign(topic, 0, from);
  while (found.length < count) {
    const batch = fetcher.poll(topic, 0);
    if (batch === undefined) {
      await woken;
      woken = next();
    } else found.push(...rows(batch));
  }
  await fetcher.close();
  return found;
}

describe('records of kafkajs', () => {
  it.each(codecs)('are read as they were written: %s', async (codec) => {
    const topic = unique(`from-kafkajs-${codec}`);
    await transport.topics.create(topic);
    let offset = 0;
    await check(
      asyncProperty(messages, async (list) => {
        await producer.send({
          topic,
          compression: kafkajsCodecs[codec],
          messages: list.map(({ key, value, timestamp, headers }) => ({
            key: key === null ? null : Buffer.from(key),
            value: value === null ? null : Buffer.from(value),
            timestamp: String(timestamp),
            headers: Object.fromEntries(Object.entries(headers).map(([name, data]) => [name, Buffer.from(data)])),
          })),
        });
        expect(await read(topic, offset, list.length)).toEqual(list.map(plain));
        offset += list.length;
      }),
      { numRuns: 15 },
    );
  });
});

describe('our records', () => {
  it.each(codecs)('are read by kafkajs as they were written: %s', async (codec) => {
    const topic = unique(`to-kafkajs-${codec}`);
    await transport.topics.create(topic);
    const consumer = kafka.consumer({ groupId: unique('kafkajs') });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const seen: Plain[] = [];
    let arrived: () => void = () => undefined;
    await consumer.run({
      eachMessage: async ({ message: { key, value, timestamp, headers } }) => {
        seen.push({
          key: hex(key),
          value: hex(value),
          timestamp: Number(timestamp),
          headers: plainHeaders(headers),
        });
        arrived();
      },
    });
    const ours = transport.producer();
    let sent = 0;
    await check(
      asyncProperty(messages, async (list) => {
        const records = new RecordBatchBuilder();
        for (const { key, value, timestamp, headers } of list) {
          records.append(timestamp, key, value, Object.entries(headers) satisfies Headers);
        }
        await ours.send([{ topic, partition: 0, records, compression: codec }]);
        const from = sent;
        sent += list.length;
        while (seen.length < sent) await new Promise<void>((resolve) => (arrived = resolve));
        expect(seen.slice(from)).toEqual(list.map(plain));
      }),
      { numRuns: 15 },
    );
    await consumer.disconnect();
  });

  it('keep header names that occur twice, and headers without a value', async () => {
    const topic = unique('headers');
    await transport.topics.create(topic);
    const records = new RecordBatchBuilder();
    const headers: Headers = [
      ['a', Uint8Array.of(1)],
      ['b', null],
      ['a', Uint8Array.of(2)],
    ];
    records.append(5, null, 'x', headers);
    const ours = transport.producer();
    await ours.send([{ topic, partition: 0, records, compression: 'zstd' }]);
    const { fetcher, next } = watch(transport);
    const woken = next();
    fetcher.assign(topic, 0, 0);
    await woken;
    expect(fetcher.poll(topic, 0)?.headers(0)).toEqual(headers);
    await fetcher.close();
  });
});

function plainHeaders(headers: IHeaders | undefined): Record<string, string | null> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name, hex((value as Buffer | undefined) ?? null)]),
  );
}

describe('transactions of kafkajs', () => {
  it('are read when they are committed, and never when they are aborted', async () => {
    const topic = unique('transactions');
    await transport.topics.create(topic);
    const clients = [0, 1, 2].map((i) =>
      kafka.producer({ transactionalId: unique(`tx${i}`), idempotent: true, maxInFlightRequests: 1 }),
    );
    await Promise.all(clients.map((client) => client.connect()));
    const expected: string[] = [];
    // Interleaved, some with the four zero bytes as key that look like an abort marker.
    for (let round = 0; round < 4; round++) {
      const open = await Promise.all(clients.map((client) => client.transaction()));
      for (let i = 0; i < 3; i++) {
        for (const [n, tx] of open.entries()) {
          await tx.send({ topic, messages: [{ key: Buffer.alloc(4), value: `${round}-${n}-${i}` }] });
        }
      }
      for (const [n, tx] of [...open.entries()].reverse()) {
        if ((n + round) % 2 === 0) await tx.commit();
        else await tx.abort();
      }
      for (let i = 0; i < 3; i++) {
        for (let n = 0; n < 3; n++) if ((n + round) % 2 === 0) expected.push(`${round}-${n}-${i}`);
      }
    }
    await Promise.all(clients.map((client) => client.disconnect()));
    const seen = (await read(topic, 0, expected.length)).map(({ value }) => Buffer.from(value ?? '', 'hex').toString());
    expect(seen).toEqual(expected);
  });
});
