import { createRequire } from 'node:module';
import type * as BatchBuilder from '../src/protocol/batch-builder.ts';
import type * as BatchDecoder from '../src/protocol/batch-decoder.ts';
import type * as Compression from '../src/protocol/compression.ts';
import type * as Crc32c from '../src/protocol/crc32c.ts';
import { built } from './shared/built.ts';
import { coreRates, stopwatch } from './shared/measure.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';

const { RecordBatchBuilder } = await built<typeof BatchBuilder>('protocol/batch-builder.js');
const { decodeBatch } = await built<typeof BatchDecoder>('protocol/batch-decoder.js');
const { ensureCodec } = await built<typeof Compression>('protocol/compression.js');
const { crc32c } = await built<typeof Crc32c>('protocol/crc32c.js');

const require = createRequire(import.meta.url);
const RECORDS = 1000;
const NO_HEADERS = [] as const;
const COMPRESSIONS = ['gzip', 'snappy', 'lz4', 'zstd'] as const;

interface KafkaJsRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Record<string, never>;
}
interface KafkaJsEncoder {
  readonly buffer: Buffer;
}
const kafkaJsRecord: (record: KafkaJsRecord) => KafkaJsEncoder = require('kafkajs/src/protocol/recordBatch/record/v0');
const kafkaJsBatch: {
  RecordBatch(batch: object): Promise<KafkaJsEncoder>;
} = require('kafkajs/src/protocol/recordBatch/v0');
const kafkaJsDecode: (
  decoder: object,
) => Promise<readonly unknown[]> = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages');
const KafkaJsDecoder: new (buffer: Buffer) => object = require('kafkajs/src/protocol/decoder');
const KafkaJsEncoderClass: new () => {
  writeBytes(b: Buffer): KafkaJsEncoder;
} = require('kafkajs/src/protocol/encoder');

/** Measures encoding and decoding of batches of 1,000 records with 100-byte JSON values, next to kafkajs. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const effort = quick ? { runs: 3, runMs: 20 } : { runs: 7, runMs: 250 };
  const values = Array.from({ length: RECORDS }, (_, i) =>
    JSON.stringify({ userId: `user-${i % 100}`, url: `/products/${i % 37}`, at: 1_700_000_000_000 + i, n: i }).padEnd(
      100,
      ' ',
    ),
  );
  const keys = values.map((_, i) => `user-${i % 100}`);
  const valueBytes = values.map((value) => new Uint8Array(Buffer.from(value)));
  const keyBytes = keys.map((key) => new Uint8Array(Buffer.from(key)));
  const start = 1_700_000_000_000;

  const builder = new RecordBatchBuilder();
  const fill = (ks: readonly (string | Uint8Array)[], vs: readonly (string | Uint8Array)[]) => {
    builder.reset();
    for (let i = 0; i < RECORDS; i++) builder.append(start + i * 3, ks[i]!, vs[i]!, NO_HEADERS);
    return builder;
  };
  const plain = fill(keyBytes, valueBytes).finish();
  const rows: Row[] = [];
  const add = async (name: string, body: () => unknown, target?: number): Promise<void> => {
    const rates = await ratesOf(RECORDS, body, effort);
    rows.push(rowOf(`batch ${name}`, 'records/s', rates, target === undefined ? {} : { target }));
  };

  await add('decode, CRC checked', () => decodeBatch(plain, 0), 3_000_000);
  await add('decode, CRC not checked', () => decodeBatch(plain, 0, { checkCrc: false }));
  const framed = new KafkaJsEncoderClass().writeBytes(Buffer.from(plain)).buffer;
  await add('decode, kafkajs (no CRC check)', () => kafkaJsDecode(new KafkaJsDecoder(framed)));
  await add('encode from bytes', () => fill(keyBytes, valueBytes).finish(), 1_000_000);
  await add('encode from text', () => fill(keys, values).finish(), 1_000_000);
  await add('encode, kafkajs', () => {
    const records = valueBytes.map((value, i) =>
      kafkaJsRecord({
        offsetDelta: i,
        timestampDelta: i * 3,
        key: Buffer.from(keyBytes[i]!),
        value: Buffer.from(value),
        headers: {},
      }),
    );
    return kafkaJsBatch.RecordBatch({
      firstTimestamp: start,
      maxTimestamp: start,
      lastOffsetDelta: RECORDS - 1,
      records,
    });
  });
  for (const compression of COMPRESSIONS) {
    await ensureCodec(compression);
    const packed = fill(keyBytes, valueBytes).finish({ compression });
    await add(`decode, ${compression}`, () => decodeBatch(packed, 0));
    await add(`encode, ${compression}`, () => fill(keyBytes, valueBytes).finish({ compression }));
  }
  rows.push(rowOf('crc32c', 'bytes/s', await ratesOf(plain.length, () => crc32c(plain), effort)));
  return rows;
}

async function ratesOf(
  amount: number,
  body: () => unknown,
  { runMs, runs }: { readonly runs: number; readonly runMs: number },
): Promise<number[]> {
  const rates: number[] = [];
  for (let run = -1; run < runs; run += 1) {
    const time = stopwatch();
    const end = performance.now() + runMs;
    let times = 0;
    do {
      const result = body();
      if (result instanceof Promise) await result;
      times += 1;
    } while (performance.now() < end);
    // The first run only warms up.
    if (run >= 0) rates.push(...coreRates(amount * times, [time()]));
  }
  return rates;
}
