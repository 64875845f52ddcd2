import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { agg, connect, int32, run, string, to, topic, tumbling, windowBy } from 'millrace';
import { describe, expect, inject, it } from 'vitest';
import { noLogger } from '../../src/log/logger.ts';
import { Changelog } from '../../src/runtime/app/changelog.ts';
import { memoryStores } from '../../src/state/memory-backend.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, failure, join, unique, until } from '../contract/support.ts';

describe('a commit at least once', () => {
  it('writes changes of stores after the outputs that they go with, so that no closed window is lost', async () => {
    const brokers = inject('brokers');
    const applicationId = unique('order');
    const clicks = topic(`${applicationId}-clicks`, { key: string(), value: string(), partitions: 1 });
    const counts = topic(`${applicationId}-counts`, { key: string(), value: int32() });
    const pipeline = clicks.pipe(
      windowBy(tumbling({ size: '1s', grace: '0ms' }), agg.count(), { store: 'per-second' }),
      to(counts),
    );
    const options = { applicationId, brokers, commitInterval: '20ms' } as const;
    const client = await connect({ brokers });
    await client.topics.create(clicks.name, { partitions: 1 });
    await client.topics.create(counts.name, { partitions: 1 });
    const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const oldest = (ms: number): Promise<unknown> =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: counts.name,
            configEntries: [{ name: 'message.timestamp.before.max.ms', value: String(ms) }],
          },
        ],
      });

    // The outputs are too old for their topic and cannot be written; all else can.
    await oldest(1000);
    const start = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
    for (const timestamp of [start, start + 500, start + 1000]) {
      await client.publish(clicks, { key: 'ada', value: '/', timestamp });
    }
    await failure('ERR_KAFKA_INVALID_TIMESTAMP', run(pipeline, options).done);

    await oldest(86_400_000);
    await run(pipeline, { ...options, until: 'end' }).done;
    const rows: (number | null)[] = [];
    for await (const { value } of client.records(counts, { from: 'earliest', until: 'end' })) rows.push(value);
    expect(rows).toEqual([2]);
    await admin.disconnect();
    await client.close();
  });
});

describe('stores that are restored', () => {
  it('wait for a transaction that is not over: the offsets may be past it already', async () => {
    const [applicationId, store] = [unique('restored'), 'counts'];
    const topicName = `${applicationId}-${store}-changelog`;
    const owner = await kafkaTransport({ brokers: inject('brokers'), guarantee: 'exactly-once' })();
    await owner.topics.create(topicName);
    const { session, tasks } = await join(owner, unique('group'), topicName, 1);
    await until('the task', () => tasks.size === 1);
    await session.send([batch(topicName, 0, [{ key: 'ada', value: '7' }])]);

    const other = await kafkaTransport({ brokers: inject('brokers') })();
    for (let end = 0; end === 0; ) {
      end = (await other.offsets(topicName, 'written', [0])).get(0) ?? 0;
    }
    const stores = memoryStores();
    const changelog = new Changelog(other, stores, applicationId, new Map(), Date.now, noLogger);
    const totals: number[] = [];
    let restored = false;
    const restoring = changelog
      .restore([{ stores: [{ applicationId, store, partition: 0 }], committed: new Map() }], ({ total }) =>
        totals.push(total),
      )
      .then(() => {
        restored = true;
      });
    await until('the restoration to begin', () => restored || totals.length > 0);
    expect([restored, totals]).toEqual([false, [1]]);
    await session.commit({ generation: session.generation, offsets: [], state: [] });
    await restoring;
    const key = new TextEncoder().encode('ada');
    const value = stores.open({ applicationId, store, partition: 0 }).get(key);
    expect(new TextDecoder().decode(value)).toBe('7');
    await Promise.all([owner.close(), other.close()]);
  });
});
