import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import type { Transport } from '../../src/log/transport.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, readAll, unique, until, values, valuesOf } from '../contract/support.ts';
import { ownCluster } from './cluster.ts';
import { Copier } from './copier.ts';
import { Lookout } from './lookout.ts';

describe.runIf(ownCluster)('three brokers of which one is killed', () => {
  let nodes: KafkaCluster;
  let transport: Transport;
  let lookout: Lookout;

  beforeAll(async () => {
    nodes = await KafkaCluster.start({ folder: await mkdtemp(join(tmpdir(), 'millrace-kafka-3-')), nodes: 3 });
    transport = await kafkaTransport({ brokers: nodes.brokers })();
    lookout = await Lookout.open(nodes.brokers);
  });
  afterAll(async () => {
    await lookout.close();
    await transport.close();
    await nodes.remove();
  });

  it('goes on with the others, whichever it is, and copies each record once', { timeout: 240_000 }, async () => {
    const [from, to, groupId] = [unique('from'), unique('to'), unique('copy')];
    await transport.topics.create(from, { partitions: 2 });
    await transport.topics.create(to, { partitions: 2 });
    let copied = 0;
    const trouble: unknown[] = [];
    const copier = await Copier.start(kafkaTransport({ brokers: nodes.brokers, guarantee: 'exactly-once' }), {
      groupId,
      from,
      to,
      partitions: 2,
      onTrouble: (error) => trouble.push(error),
      onCommit: (records) => (copied += records),
    });
    const producer = transport.producer();
    const feed = { sent: 0, stop: false };
    const feeding = (async () => {
      while (!feed.stop) {
        const list = values(...Array.from({ length: 5 }, (_, i) => String(feed.sent + i)));
        await producer.send([batch(from, (feed.sent / 5) % 2, list)]);
        feed.sent += 5;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
    })();
    const victims = [() => lookout.leader(to), () => lookout.coordinator(groupId), () => lookout.leader(from)];
    const resumed: number[] = [];
    for (const victim of victims) {
      const before = copied;
      await until('copies', () => copied > before + 100, 60_000);
      const node = await victim();
      const since = performance.now();
      await nodes.kill([node]);
      const target = copied + 100;
      await until(`progress without broker ${node}; ${copier.waitingFor()}`, () => copied > target, 60_000);
      resumed.push(Math.round(performance.now() - since));
      await nodes.restart([node]);
    }
    feed.stop = true;
    await feeding;
    const deadline = performance.now() + 60_000;
    let all: number[] = [];
    while (new Set(all).size < feed.sent) {
      // Reading takes its share of the machine too.
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (performance.now() > deadline)
        throw new Error(
          `${all.length} of ${feed.sent}, ${copied} copied; it waits for ${copier.waitingFor()}; ${String(trouble.at(-1))}`,
        );
      const lists = await Promise.all([0, 1].map((partition) => readAll(transport, to, partition)));
      all = lists.flatMap((rows) => valuesOf(rows).map(Number));
    }
    await copier.stop();
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: feed.sent }, (_, n) => n));
    console.log(`three brokers: ${feed.sent} records, went on after ${resumed.join(', ')} ms`);
    await producer.close();
  });
});
