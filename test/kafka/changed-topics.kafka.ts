import { connect, int32, run, string, to, topic } from 'millrace';
import { expect, inject, it } from 'vitest';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { unique, until } from '../contract/support.ts';
import { changedTopics } from '../runtime/changed-topics.ts';

const open = kafkaTransport({ brokers: inject('brokers'), heartbeatIntervalMs: 50, sessionTimeoutMs: 6000 });

// A broker forgets the offsets of a topic that is deleted.
changedTopics(async () => ({ open, cleanup: async () => undefined }), { remembersDeleted: false });

it("processes that start together with 'latest' read nothing of what was there, and all of what comes", async () => {
  const client = await connect({ transport: open });
  const [source, out] = ['source', 'out'].map((name) => topic(unique(name), { key: string(), value: int32() }));
  if (source === undefined || out === undefined) throw new Error('two topics');
  const partitions = 6;
  const publish = async (from: number): Promise<void> => {
    for (let partition = 0; partition < partitions; partition += 1) {
      await client.publish(source, { key: 'k', value: from + partition, partition });
    }
  };
  await client.topics.create(source, { partitions });
  await client.topics.create(out, { partitions: 1 });
  await publish(0);
  const applicationId = unique('app');
  const options = { applicationId, transport: open, startFrom: 'latest', commitInterval: '50ms' } as const;
  const first = [0, 1, 2].map(() => run(source.pipe(to(out)), options));
  await Promise.all(first.map((app) => app.ready));
  await publish(100);
  const seen: number[] = [];
  client.records(out, { from: 'earliest' }).subscribe(({ value }) => seen.push(value));
  await until('the new ones', () => seen.length >= partitions);
  await Promise.all(first.map((app) => app.stop()));
  await publish(200);
  const second = [0, 1].map(() => run(source.pipe(to(out)), options));
  await until('what came in between', () => seen.length >= 2 * partitions);
  await Promise.all(second.map((app) => app.stop()));
  await client.close();
  const wanted = [100, 200].flatMap((from) => Array.from({ length: partitions }, (_, at) => from + at));
  expect(seen.toSorted((a, b) => a - b)).toEqual(wanted);
});
