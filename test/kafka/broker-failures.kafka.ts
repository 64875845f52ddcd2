import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import type { Transport } from '../../src/log/transport.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, join, readAll, send, unique, until, values, valuesOf } from '../contract/support.ts';
import { cluster, ownCluster } from './cluster.ts';
import { Copier } from './copier.ts';

describe.runIf(ownCluster)('a broker that is killed and comes back', () => {
  let own: KafkaCluster;
  let transport: Transport;
  const options = { heartbeatIntervalMs: 200, sessionTimeoutMs: 6000 } as const;

  beforeAll(async () => {
    own = await cluster();
    transport = await kafkaTransport({ ...options, brokers: own.brokers })();
  });
  afterAll(() => transport.close());

  const outage = async (): Promise<void> => {
    await own.kill();
    await own.restart();
  };

  it('has every acknowledged record, once and in order', async () => {
    const topic = unique('outage');
    await transport.topics.create(topic, { partitions: 2 });
    const producer = transport.producer();
    let sent = 0;
    let acknowledged = 0;
    const writer = { stop: false };
    const writing = (async () => {
      const open: Promise<unknown>[] = [];
      while (!writer.stop || sent < 2000) {
        const n = sent++;
        open.push(producer.send([batch(topic, n % 2, recent(String(n)))]).then(() => acknowledged++));
        if (sent - acknowledged > 50) await Promise.race([open[open.length - 50], tick()]);
        else if (n % 10 === 0) await tick();
      }
      await Promise.all(open);
    })();
    await until('some records', () => acknowledged > 100);
    await outage();
    const before = acknowledged;
    await until('progress after the outage', () => acknowledged > before + 100);
    writer.stop = true;
    await writing;
    for (const partition of [0, 1]) {
      const expected = Array.from({ length: sent }, (_, n) => n).filter((n) => n % 2 === partition);
      expect(valuesOf(await readAll(transport, topic, partition)).map(Number)).toEqual(expected);
    }
    await producer.close();
  });

  it.each(['at-least-once', 'exactly-once'] as const)('can be left while it is away: %s', async (guarantee) => {
    const [topic, group] = [unique('away'), unique('group')];
    await transport.topics.create(topic);
    const leaving = await kafkaTransport({ ...options, brokers: own.brokers, guarantee })();
    const { session, tasks } = await join(leaving, group, topic, 1);
    await until('the task', () => tasks.size === 1);
    await session.send([batch(topic, 0, values('written'))]);
    await own.kill();
    const { generation } = session;
    const offsets = [{ topic, partition: 0, offset: 1 }];
    const late = session
      .send([batch(topic, 0, values('late'))])
      .then(() => session.commit({ generation, offsets, state: [] }));
    const outcome = late.then(
      () => 'committed',
      () => 'refused',
    );
    // The broker is still away when this resolves.
    await leaving.close();
    expect(await outcome).toBe('refused');
    await own.restart();
    expect(await transport.committed(group, [{ topic, partition: 0 }])).toEqual([]);
  });

  it('is told to end a transaction whose session was left while it was away', async () => {
    const topic = unique('left-open');
    await transport.topics.create(topic);
    // Nobody but the session that was left ends the transaction in the time of a test.
    const patient = { guarantee: 'exactly-once', transactionTimeoutMs: 600_000 } as const;
    const leaving = await kafkaTransport({ ...options, ...patient, brokers: own.brokers })();
    const { session, tasks } = await join(leaving, unique('group'), topic, 1);
    await until('the task', () => tasks.size === 1);
    await session.send([batch(topic, 0, values('never committed'))]);
    const ends = async () => (await transport.offsets(topic, 'written')).get(0) ?? 0;
    for (let end = 0; end === 0; ) end = await ends();
    await own.stop();
    await session.leave();
    await own.restart();
    await send(transport, topic, 0, values('after it'));
    let seen: unknown[] = [];
    const deadline = performance.now() + 20_000;
    while (seen.length === 0 && performance.now() < deadline) seen = valuesOf(await readAll(transport, topic));
    expect(seen).toEqual(['after it']);
    await leaving.close();
  });

  it.each(['at-least-once', 'exactly-once'] as const)('is got over by a task: %s', async (guarantee) => {
    const [from, to, groupId] = [unique('from'), unique('to'), unique('copy')];
    await transport.topics.create(from, { partitions: 2 });
    await transport.topics.create(to, { partitions: 2 });
    let copied = 0;
    const trouble: unknown[] = [];
    const copier = await Copier.start(kafkaTransport({ ...options, brokers: own.brokers, guarantee }), {
      groupId,
      from,
      to,
      partitions: 2,
      onTrouble: (error) => trouble.push(error),
      onCommit: (records) => (copied += records),
    });
    const producer = transport.producer();
    const total = 3000;
    const feeding = (async () => {
      for (let n = 0; n < total; n += 10) {
        const list = recent(...Array.from({ length: 10 }, (_, i) => String(n + i)));
        await producer.send([batch(from, (n / 10) % 2, list)]);
      }
    })();
    for (let round = 1; round <= 2; round++) {
      await until('copies', () => copied > round * 300, 30_000);
      await outage();
    }
    await feeding;
    const done = async (): Promise<string[]> => {
      const lists = await Promise.all([0, 1].map((partition) => readAll(transport, to, partition)));
      return lists.flatMap((rows) => valuesOf(rows) as string[]);
    };
    let seen: string[] = [];
    const deadline = performance.now() + 30_000;
    while (new Set(seen).size < total) {
      seen = await done();
      if (performance.now() > deadline) {
        throw new Error(
          `${new Set(seen).size} of ${total} arrived; it waits for ${copier.waitingFor()}; ${String(trouble.at(-1))}`,
        );
      }
    }
    await copier.stop();
    const expected = Array.from({ length: total }, (_, n) => n);
    const all = (await done()).map(Number).sort((a, b) => a - b);
    if (guarantee === 'exactly-once') expect(all).toEqual(expected);
    else expect([...new Set(all)]).toEqual(expected);
    await producer.close();
  });
});

/**
 * Values of now. A broker that starts forgets who wrote records that are older than `producer.id.expiration.ms`, a day, and
 * then takes a batch that is sent again for a new one.
 */
const recent = (...list: string[]) => values(...list).map((row) => ({ ...row, timestamp: Date.now() }));

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));
