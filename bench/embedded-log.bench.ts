import { join } from 'node:path';
import type { Compression } from 'millrace';
import { embeddedTransport } from 'millrace/embedded';
import type * as BatchBuilder from '../src/protocol/batch-builder.ts';
import { built } from './shared/built.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';

const { RecordBatchBuilder } = await built<typeof BatchBuilder>('protocol/batch-builder.js');

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

async function once(path: string, compression: Compression, records: number): Promise<Rates> {
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
  for (let sent = 0; sent < records; ) {
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
  const append = records / ((performance.now() - appendStart) / 1000);

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
  if (count !== records + 1 || bytes < records * 90) throw new Error(`read ${count} records, ${bytes} bytes`);
  await transport.close();
  return { append, read, commits };
}

/** Rates of the embedded log: durable commits of 25,000 records of 100 bytes. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  for (const compression of ['none', 'lz4'] as const) {
    const runs: Rates[] = [];
    for (let at = 0; at < (quick ? 1 : 5); at += 1) {
      runs.push(await withScratch((path) => once(path, compression, quick ? 50_000 : 500_000)));
    }
    const name = compression === 'none' ? 'embedded log' : `embedded log, ${compression}`;
    const commits = runs.flatMap((rates) => rates.commits);
    rows.push(
      rowOf(
        `${name}: append, durable`,
        'records/s',
        runs.map(({ append }) => append),
        { target: 700_000 },
      ),
      rowOf(
        `${name}: read with CRC check`,
        'records/s',
        runs.map(({ read }) => read),
        { target: 1_400_000 },
      ),
      rowOf(`${name}: encode and commit 25,000 records`, 'ms', commits, { higherIsBetter: false }),
    );
  }
  return rows;
}
