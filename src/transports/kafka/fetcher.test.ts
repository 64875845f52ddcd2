import { afterEach, describe, expect, it } from 'vitest';
import type { FetchedBatch, Fetcher } from '../../log/transport.ts';
import { Cluster } from './cluster.ts';
import type { FakeBroker } from './fake-broker.fixtures.ts';
import { FakeLog } from './fake-log.fixtures.ts';
import { KafkaFetcher } from './fetcher.ts';
import { Offsets } from './offsets.ts';
import { kafkaSettings } from './options.ts';
import { Topics } from './topics.ts';

const clusters: Cluster[] = [];
const brokers: FakeBroker[] = [];

afterEach(async () => {
  for (const cluster of clusters.splice(0)) cluster.close();
  await Promise.all(brokers.splice(0).map((broker) => broker.close()));
});

interface Reading {
  readonly fetcher: Fetcher;
  /** The next batch with records of a partition. */
  next(partition: number): Promise<FetchedBatch>;
}

async function reading(log: FakeLog, partitions: number): Promise<Reading> {
  const broker = await log.open();
  brokers.push(broker);
  const cluster = new Cluster(kafkaSettings({ brokers: [broker.address] }));
  clusters.push(cluster);
  const topics = new Topics(cluster);
  let wake = (): void => undefined;
  const fetcher = new KafkaFetcher(cluster, topics, new Offsets(cluster, topics), { onReady: () => wake() });
  for (let partition = 0; partition < partitions; partition++) fetcher.assign(log.topic, partition, 0);
  const next = async (partition: number): Promise<FetchedBatch> => {
    for (;;) {
      const woken = new Promise<void>((resolve) => (wake = resolve));
      const batch = fetcher.poll(log.topic, partition);
      if (batch === undefined) await woken;
      else if (batch.count > 0) return batch;
    }
  };
  return { fetcher, next };
}

describe('partitions that share a broker', () => {
  it.each([
    ['a little', 600_000],
    ['much', 5_000_000],
  ])('are read in turn, also when the batches of one are %s larger than what is asked for', async (_, large) => {
    const log = new FakeLog(2);
    for (let i = 0; i < 60; i++) log.appendOne(0, 200_000);
    for (let i = 0; i < 5; i++) log.appendOne(1, large);
    const { fetcher, next } = await reading(log, 2);
    let [small, big] = [0, 0];
    const order: string[] = [];
    while (small < 60 || big < 5) {
      // A reader of small batches that is always faster.
      if (small < 60) {
        await next(0);
        order.push('small');
        small += 1;
      }
      const batch = big < 5 ? fetcher.poll(log.topic, 1) : undefined;
      if (batch !== undefined && batch.count > 0) {
        order.push('big');
        big += 1;
      } else if (small === 60 && big < 5) {
        await next(1);
        order.push('big');
        big += 1;
      }
    }
    expect(order.indexOf('big')).toBeLessThan(30);
  });

  it('get the first place of a request in turn', async () => {
    const log = new FakeLog(3);
    for (let partition = 0; partition < 3; partition++) {
      for (let i = 0; i < 4; i++) log.appendOne(partition, 3_000_000);
    }
    const { next } = await reading(log, 3);
    for (let i = 0; i < 4; i++) for (let partition = 0; partition < 3; partition++) await next(partition);
    expect(new Set(log.fetches.map(([first]) => first?.partition)).size).toBe(3);
  });

  it('hold bytes of their own, and none of their neighbours', async () => {
    const log = new FakeLog(8);
    for (let partition = 0; partition < 8; partition++) log.appendOne(partition, 100_000);
    const { next } = await reading(log, 8);
    for (let partition = 0; partition < 8; partition++) {
      const batch = await next(partition);
      expect(batch.bytes.buffer.byteLength).toBeLessThan(110_000);
    }
  });

  it('hold less each when there are many', async () => {
    const log = new FakeLog(1000);
    for (let partition = 0; partition < 1000; partition++) log.appendOne(partition, 10);
    const { next } = await reading(log, 1000);
    for (let partition = 0; partition < 1000; partition++) await next(partition);
    const asked = log.fetches.flat().filter(({ offset }) => offset > 0);
    for (const { maxBytes } of asked) expect(maxBytes).toBe(65_536);
  });
});
