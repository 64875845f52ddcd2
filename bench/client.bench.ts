import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect, json, memoryTransport, string, type Topic, topic } from 'millrace';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';

interface Event {
  readonly userId: string;
  readonly url: string;
  readonly at: number;
  readonly n: number;
}

interface Record {
  readonly key: string;
  readonly value: Event;
}

const CHUNK = 10_000;
const START = 1_700_000_000_000;

/** How much is measured. */
interface Size {
  readonly runs: number;
  readonly many: number;
  /** Records that are published one by one. */
  readonly single: number;
}

type Note = (name: string, count: number, work: () => Promise<unknown>) => Promise<void>;

/** Measures publishing and reading of records with values of about 100 bytes of JSON, two partitions. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const size = { runs: quick ? 2 : 5, many: quick ? 20_000 : 200_000 };
  try {
    return [
      ...(await measureLog('memory', { ...size, single: quick ? 1_000 : 20_000 }, () =>
        connect({ transport: memoryTransport() }),
      )),
      ...(await measureLog('embedded', { ...size, single: quick ? 50 : 500 }, (round) =>
        connect({ path: join(folder, String(round)) }),
      )),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureLog(log: string, size: Size, open: (round: number) => Promise<Client>): Promise<Row[]> {
  const records = Array.from({ length: size.many }, (_, n): Record => {
    const key = `user-${n % 10_000}`;
    return { key, value: { userId: key, url: `/products/${n % 37}/details-of-the-product`, at: START + n, n } };
  });
  const rates = new Map<string, number[]>();
  for (let round = 0; round <= size.runs; round += 1) {
    const client = await open(round);
    await measureClient(client, records, size, async (name, count, work) => {
      const began = performance.now();
      await work();
      // The first round warms up.
      if (round > 0) rates.set(name, [...(rates.get(name) ?? []), (count * 1000) / (performance.now() - began)]);
    });
    await client.close();
  }
  return [...rates].map(([name, samples]) => rowOf(`client, ${log}: ${name}`, 'records/s', samples));
}

async function measureClient(
  client: Client,
  records: readonly Record[],
  { many, single }: Size,
  note: Note,
): Promise<void> {
  const events = (name: string): Topic<string, Event> =>
    topic(name, { key: string(), value: json<Event>(), partitions: 2 });
  const one = events('one-by-one');
  await note('publish, awaited one by one', single, async () => {
    for (let at = 0; at < single; at += 1) await client.publish(one, records[at] as Record);
  });
  const at = events('at-once');
  await note('publish, many at once', many, () => Promise.all(records.map((record) => client.publish(at, record))));
  const all = events('all');
  await note('publishAll, 10,000 each', many, async () => {
    for (let from = 0; from < many; from += CHUNK) await client.publishAll(all, records.slice(from, from + CHUNK));
  });
  const whole = { from: 'earliest', until: 'end' } as const;
  await note('records, subscribed', many, async () => {
    let count = 0;
    await client.records(all, whole).forEach(() => {
      count += 1;
    });
    check(count, many);
  });
  await note('records, for await', many, async () => {
    let count = 0;
    for await (const _ of client.records(all, whole)) count += 1;
    check(count, many);
  });
}

function check(count: number, wanted: number): void {
  if (count !== wanted) throw new Error(`${count} of ${wanted} records were read`);
}
