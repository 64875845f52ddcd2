import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { connect, run, string, to, topic } from '../../src/index.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { failure, unique, until } from '../contract/support.ts';
import { ownCluster } from './cluster.ts';

describe.runIf(ownCluster)('a broker that has lost its disk', () => {
  it('is not believed about records that were read: they are named, running and after a restart', {
    timeout: 240_000,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-lost-'));
    const nodes = await KafkaCluster.start({ folder });
    onTestFinished(() => nodes.remove());
    const open = kafkaTransport({ brokers: nodes.brokers });
    const client = await connect({ transport: open });
    onTestFinished(() => client.close());
    const texts = topic(unique('texts'), { value: string(), partitions: 1 });
    const copies = topic(unique('copies'), { value: string(), partitions: 1 });
    const id = unique('copier');
    const publish = (name: string, count: number) =>
      client.publishAll(
        texts,
        Array.from({ length: count }, (_, at) => ({ value: `${name}-${at}` })),
      );
    await publish('old', 10);
    const app = run(texts.pipe(to(copies)), { applicationId: id, transport: open, commitInterval: '50ms' });
    const ended = app.done.catch((error: unknown) => error);
    await app.ready;
    const committed = async (offset: number): Promise<void> => {
      for (let now = 0; now !== offset; ) now = (await client.committed(id, texts)).get(0) ?? 0;
    };
    await committed(10);
    await nodes.kill();
    await rm(join(folder, 'node-1', 'data', `${texts.name}-0`), { recursive: true });
    await nodes.restart();
    await publish('new', 15);
    const gone = { code: 'ERR_LOG_TRUNCATED', topic: texts.name, partition: 0, offset: 0, lastOffset: 9 };
    expect(await ended).toMatchObject(gone);
    const again = { applicationId: id, transport: open, until: 'end' } as const;
    await failure('ERR_LOG_TRUNCATED', run(texts.pipe(to(copies)), again).done);
    await client.setCommitted(id, texts, [0]);
    await run(texts.pipe(to(copies)), again).done;
    await committed(15);
    const seen: string[] = [];
    client.records(copies, { from: 'earliest' }).subscribe(({ value }) => seen.push(value));
    await until('all that lies there now', () => seen.filter((text) => text.startsWith('new')).length === 15);
  });
});
