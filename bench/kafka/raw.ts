import { kafkaTransport } from 'millrace/kafka';
import type { FetchedBatch, Producer, Transport } from '../../src/log/transport.ts';
import type * as BatchBuilder from '../../src/protocol/batch-builder.ts';
import { built } from '../shared/built.ts';
import type { Click } from '../shared/clicks.ts';
import type { Contest } from './contestants.ts';
import { CLICKS, isWanted, PARTITIONS, viewOf } from './works.ts';

const { RecordBatchBuilder } = await built<typeof BatchBuilder>('protocol/batch-builder.js');

const BATCH_BYTES = 512 * 1024;

export interface RawRun {
  readonly firstAt: number;
  readonly doneAt: number;
}

/** Fetches and decodes the input, and does nothing with it. */
export async function rawReading({ brokers, records }: Contest): Promise<RawRun> {
  const transport = await kafkaTransport({ brokers })();
  const run = await readAll(transport, records, async () => undefined);
  await transport.close();
  return run;
}

/** The work `map` with nothing between fetcher and producer: no tasks, no group, no commits. */
export async function rawMap({ brokers, output, records }: Contest): Promise<RawRun> {
  const transport = await kafkaTransport({ brokers })();
  const producer = transport.producer();
  const run = await readAll(transport, records, mapping(producer, output));
  await producer.close();
  await transport.close();
  return run;
}

type OnBatch = (partition: number, batch: FetchedBatch | undefined) => Promise<void>;

/** Gives all batches of the input, and at the end of all `undefined` for each partition. */
async function readAll(transport: Transport, records: number, onBatch: OnBatch): Promise<RawRun> {
  let wake: () => void = () => undefined;
  const fetcher = transport.fetcher({ onReady: () => wake() });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
  for (const partition of partitions) fetcher.assign(CLICKS, partition, 0);
  let firstAt = 0;
  for (let left = records; left > 0; ) {
    const ready = new Promise<void>((resolve) => (wake = resolve));
    let found = false;
    for (const partition of partitions) {
      const batch = fetcher.poll(CLICKS, partition);
      if (batch === undefined) continue;
      firstAt ||= Date.now();
      found = true;
      left -= batch.count;
      await onBatch(partition, batch);
    }
    if (!found) await ready;
  }
  for (const partition of partitions) await onBatch(partition, undefined);
  const doneAt = Date.now();
  await fetcher.close();
  return { firstAt, doneAt };
}

function mapping(producer: Producer, output: string): OnBatch {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const builders = Array.from({ length: PARTITIONS }, () => new RecordBatchBuilder(BATCH_BYTES));
  let sent: Promise<unknown> = Promise.resolve();
  return async (partition, batch) => {
    const records = builders[partition] as (typeof builders)[number];
    const send = async (): Promise<void> => {
      await sent;
      sent = producer.send([{ topic: output, partition, records, compression: 'lz4' }]);
      builders[partition] = new RecordBatchBuilder(BATCH_BYTES);
    };
    if (batch === undefined) {
      await send();
      await sent;
      return;
    }
    const { bytes, count, keyLength, keyStart, timestamp, valueLength, valueStart } = batch;
    const part = (start: Int32Array, length: Int32Array, at: number): Uint8Array =>
      bytes.subarray(start[at], (start[at] as number) + (length[at] as number));
    for (let at = 0; at < count; at += 1) {
      const click = JSON.parse(decoder.decode(part(valueStart, valueLength, at))) as Click;
      if (!isWanted(click)) continue;
      const value = encoder.encode(JSON.stringify(viewOf(click)));
      records.append(timestamp[at] as number, part(keyStart, keyLength, at), value, []);
    }
    if (records.sizeInBytes >= BATCH_BYTES) await send();
  };
}
