import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, connect, json, memoryTransport, string, type Topic, topic } from 'millrace';

/** One measured line: rates per second over several runs. */
export interface Row {
  readonly name: string;
  readonly unit: 'records/s';
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly target?: number;
}

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

const RUNS = 5;
const MANY = 200_000;
const START = 1_700_000_000_000;

/** Measures publishing and reading of records with values of about 100 bytes of JSON, two partitions. */
export async function run(): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  try {
    return [
      ...(await measureLog('memory', () => connect({ transport: memoryTransport() }))),
      ...(await measureLog('embedded', (i) => connect({ path: join(folder, String(i)) }))),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measureLog(log: string, open: (run: number) => Promise<Client>): Promise<Row[]> {
  const records = Array.from({ length: MANY }, (_, n): Record => {
    const key = `user-${n % 10_000}`;
    return { key, value: { userId: key, url: `/products/${n % 37}/details-of-the-product`, at: START + n, n } };
  });
  const rates = new Map<string, number[]>();
  for (let round = 0; round <= RUNS; round += 1) {
    const client = await open(round);
    const note = async (name: string, count: number, work: () => Promise<unknown>): Promise<void> => {
      const began = performance.now();
      await work();
      // The first round warms up.
      if (round > 0) rates.set(name, [...(rates.get(name) ?? []), (count * 1000) / (performance.now() - began)]);
    };
    await measureClient(client, records, log === 'memory' ? 20_000 : 300, note);
    await client.close();
  }
  return [...rates].map(([name, all]) => {
    const sorted = all.toSorted((a, b) => a - b);
    const at = (index: number): number => sorted[index] as number;
    return { name: `${log}: ${name}`, unit: 'records/s', median: at(RUNS >> 1), min: at(0), max: at(RUNS - 1) };
  });
}

async function measureClient(
  client: Client,
  records: readonly Record[],
  single: number,
  note: (name: string, count: number, work: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const target = (name: string): Topic<string, Event> =>
    topic(name, { key: string(), value: json<Event>(), partitions: 2 });
  await note('publish, awaited one by one', single, async () => {
    for (const record of records.slice(0, single)) await client.publish(target('single'), record);
  });
  const many = target('many');
  await note('publish, many at once', MANY, () => Promise.all(records.map((record) => client.publish(many, record))));
  const all = target('all');
  await note('publishAll, 10,000 each', MANY, async () => {
    for (let at = 0; at < MANY; at += 10_000) await client.publishAll(all, records.slice(at, at + 10_000));
  });
  await note('records, subscribed', MANY, async () => {
    let count = 0;
    await client.records(all, { from: 'earliest', until: 'end' }).forEach(() => (count += 1));
    check(count);
  });
  await note('records, for await', MANY, async () => {
    let count = 0;
    for await (const _ of client.records(all, { from: 'earliest', until: 'end' })) count += 1;
    check(count);
  });
}

function check(count: number): void {
  if (count !== MANY) throw new Error(`${count} of ${MANY} records were read`);
}
