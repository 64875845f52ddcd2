import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordBatchBuilder } from '../src/protocol/batch-builder.ts';
import type { Compression } from '../src/protocol/compression.ts';
import { embeddedTransport } from '../src/transports/embedded/index.ts';

export interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly target?: number;
}

const RECORDS = 500_000;
const PER_COMMIT = 25_000;
const PER_BATCH = 2_500;

/** Values of 100 bytes, as an event that was written as JSON. */
const EVENTS = Array.from({ length: 1000 }, (_, i) =>
  JSON.stringify({ userId: `user-${i % 97}`, url: `/products/${i}`, at: 1_700_000_000_000 + i }).padEnd(100, ' '),
);

interface Rates {
  readonly append: number;
  readonly read: number;
  readonly commits: readonly number[];
}

async function once(compression: Compression): Promise<Rates> {
  const path = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const transport = await embeddedTransport({ path: join(path, 'log') })();
  await transport.topics.create('events', { config: { retentionMs: -1 } });
  const producer = transport.producer();
  const builder = new RecordBatchBuilder(PER_BATCH * 128);
  const commits: number[] = [];
  const pending: Promise<unknown>[] = [];
  // The first batch loads the codec and grows the file; it is not counted.
  builder.append(0, null, 'x', []);
  await producer.send([{ topic: 'events', partition: 0, records: builder, compression }]);
  const appendStart = performance.now();
  for (let sent = 0; sent < RECORDS; ) {
    const commitStart = performance.now();
    const group: Promise<unknown>[] = [];
    for (const end = sent + PER_COMMIT; sent < end; ) {
      builder.reset();
      for (let i = 0; i < PER_BATCH; i++, sent++) {
        builder.append(1_700_000_000_000 + sent, EVENTS[sent % 97]!.slice(11, 18), EVENTS[sent % 1000]!, []);
      }
      group.push(producer.send([{ topic: 'events', partition: 0, records: builder, compression }]));
    }
    // One commit is written while the next is encoded, as a task does.
    pending.push(Promise.all(group).then(() => commits.push(performance.now() - commitStart)));
    if (pending.length > 1) await pending.shift();
  }
  await Promise.all(pending);
  const append = RECORDS / ((performance.now() - appendStart) / 1000);

  const fetcher = transport.fetcher({ onReady: () => undefined });
  fetcher.assign('events', 0, 0);
  const readStart = performance.now();
  let count = 0;
  let bytes = 0;
  for (let batch = fetcher.poll('events', 0); batch !== undefined; batch = fetcher.poll('events', 0)) {
    count += batch.count;
    for (let i = 0; i < batch.count; i++) bytes += batch.valueLength[i]!;
  }
  const read = count / ((performance.now() - readStart) / 1000);
  if (count !== RECORDS + 1 || bytes < RECORDS * 90) throw new Error(`read ${count} records, ${bytes} bytes`);
  await transport.close();
  rmSync(path, { recursive: true });
  return { append, read, commits };
}

const summary = (name: string, unit: string, samples: readonly number[], target?: number): Measured => {
  const sorted = [...samples].sort((a, b) => a - b);
  return {
    name,
    unit,
    median: sorted[sorted.length >> 1]!,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    ...(target === undefined ? {} : { target }),
  };
};

/** Rates of the embedded log: durable commits of 25,000 records of 100 bytes. */
export async function run(): Promise<Measured[]> {
  const results: Measured[] = [];
  for (const compression of ['none', 'lz4'] as const) {
    const runs: Rates[] = [];
    for (let i = 0; i < 5; i++) runs.push(await once(compression));
    const name = compression === 'none' ? 'embedded log' : `embedded log, ${compression}`;
    results.push(summary(`${name}: append, durable`, 'records/s', runs.map((rates) => rates.append), 700_000));
    results.push(summary(`${name}: read with CRC check`, 'records/s', runs.map((rates) => rates.read), 1_400_000));
    results.push(summary(`${name}: encode and commit 25,000 records`, 'ms', runs.flatMap((rates) => rates.commits)));
  }
  return results;
}
