import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { RecordBatchBuilder } from '../src/protocol/batch-builder.ts';
import { decodeBatch } from '../src/protocol/batch-decoder.ts';
import { type Compression, ensureCodec } from '../src/protocol/compression.ts';
import { crc32c } from '../src/protocol/crc32c.ts';
import { NO_HEADERS } from '../src/record.ts';

/** One measured line: rates per second over several runs. */
export interface Row {
  readonly name: string;
  readonly unit: 'records/s' | 'bytes/s';
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly target?: number;
}

const require = createRequire(import.meta.url);
const RECORDS = 1000;
const RUNS = 7;
const RUN_MS = 250;
const COMPRESSIONS: readonly Compression[] = ['gzip', 'snappy', 'lz4', 'zstd'];

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
export async function run(): Promise<Row[]> {
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
  const fill = (ks: readonly (string | Uint8Array)[], vs: readonly (string | Uint8Array)[]): RecordBatchBuilder => {
    builder.reset();
    for (let i = 0; i < RECORDS; i++) builder.append(start + i * 3, ks[i]!, vs[i]!, NO_HEADERS);
    return builder;
  };
  const plain = fill(keyBytes, valueBytes).finish();
  const rows: Row[] = [];
  const add = async (
    name: string,
    amount: number,
    body: () => unknown,
    unit: Row['unit'] = 'records/s',
    target?: number,
  ) => {
    rows.push(await measure(name, unit, amount, body, target));
  };

  await add('decode, CRC checked', RECORDS, () => decodeBatch(plain, 0), 'records/s', 3_000_000);
  await add('decode, CRC not checked', RECORDS, () => decodeBatch(plain, 0, { checkCrc: false }));
  const framed = new KafkaJsEncoderClass().writeBytes(Buffer.from(plain)).buffer;
  await add('decode, kafkajs (no CRC check)', RECORDS, () => kafkaJsDecode(new KafkaJsDecoder(framed)));
  await add('encode from bytes', RECORDS, () => fill(keyBytes, valueBytes).finish(), 'records/s', 1_000_000);
  await add('encode from text', RECORDS, () => fill(keys, values).finish(), 'records/s', 1_000_000);
  await add('encode, kafkajs', RECORDS, () => {
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
    await add(`decode, ${compression}`, RECORDS, () => decodeBatch(packed, 0));
    await add(`encode, ${compression}`, RECORDS, () => fill(keyBytes, valueBytes).finish({ compression }));
  }
  await add('crc32c', plain.length, () => crc32c(plain), 'bytes/s');
  return rows;
}

async function measure(
  name: string,
  unit: Row['unit'],
  amount: number,
  body: () => unknown,
  target?: number,
): Promise<Row> {
  const rates: number[] = [];
  for (let run = -1; run < RUNS; run++) {
    const begin = performance.now();
    let times = 0;
    let elapsed = 0;
    do {
      const result = body();
      if (result instanceof Promise) await result;
      times++;
      elapsed = performance.now() - begin;
    } while (elapsed < RUN_MS);
    if (run >= 0) rates.push((amount * times * 1000) / elapsed); // the first run only warms up
  }
  rates.sort((a, b) => a - b);
  const row = { name, unit, median: rates[RUNS >> 1]!, min: rates[0]!, max: rates[RUNS - 1]! };
  return target === undefined ? row : { ...row, target };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const millions = (rate: number): string => (rate / 1e6).toFixed(2).padStart(9);
  console.log(`Record batches: ${RECORDS} records of 100 bytes; millions per second; median of ${RUNS} runs`);
  console.log(`Node ${process.version}, ${cpus()[0]?.model}`);
  console.log(`${''.padEnd(34)}   median       min       max    target`);
  for (const row of await run()) {
    const target = row.target === undefined ? '' : millions(row.target);
    console.log(
      `${row.name.padEnd(30)} ${row.unit.padEnd(9)}${millions(row.median)} ${millions(row.min)} ${millions(row.max)} ${target}`,
    );
  }
}
