import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import {
  connect,
  countByKey,
  int32,
  keyBy,
  type MillraceError,
  mapAsync,
  mapValues,
  run,
  string,
  through,
  to,
  topic,
} from 'millrace';
import { expect, inject, it, onTestFinished } from 'vitest';
import { unique } from '../contract/support.ts';

const DAY = 24 * 60 * 60 * 1000;
const COUNT = 1000;

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + 60_000; !(await holds()); ) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function setUp() {
  const brokers = inject('brokers');
  const id = unique('own');
  const client = await connect({ brokers });
  onTestFinished(() => client.close());
  const source = topic(`${id}-in`, { value: string(), partitions: 1, config: { retentionMs: -1 } });
  const shuffle = topic(`${id}-shuffle`, { key: string(), value: string(), partitions: 1 });
  const out = topic(`${id}-out`, { key: string(), value: int32(), partitions: 1, config: { retentionMs: -1 } });
  const from = Date.UTC(2020, 0, 1);
  await client.publishAll(
    source,
    Array.from({ length: COUNT }, (_, i) => ({ value: `k${i % 7}`, timestamp: from + i * DAY })),
  );
  const counted = async (): Promise<number> => {
    const last = new Map<string, number>();
    await client.records(out, { from: 'earliest', until: 'end' }).forEach(({ key, value }) => last.set(key, value));
    return [...last.values()].reduce((sum, n) => sum + n, 0);
  };
  return { brokers, client, counted, id, out, shuffle, source };
}

it('history waits in a shuffle for as long as its reader takes, and goes when it was read', {
  timeout: 120_000,
}, async () => {
  const { brokers, client, counted, id, out, shuffle, source } = await setUp();
  const service = { down: true };
  const pipeline = source.pipe(
    keyBy((key) => key),
    through(shuffle),
    mapAsync(async (value, { signal }) => {
      while (service.down && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
      return value;
    }),
    countByKey({ store: 'counts' }),
    to(out),
  );
  const options = { applicationId: id, brokers, kafka: { guarantee: 'exactly-once' } } as const;
  const first = run(pipeline, options);
  first.done.catch(() => undefined);
  await eventually('the shuffle', async () => {
    const offsets = await client.offsets(shuffle, 'latest').catch(() => new Map<number, number>());
    return (offsets.get(0) ?? 0) >= COUNT;
  });
  expect((await client.topics.describe(shuffle))?.config).toMatchObject({ retentionMs: -1, retentionBytes: -1 });
  await first.stop({ deadline: '500ms' }).catch(() => undefined);
  service.down = false;
  expect((await client.offsets(shuffle, 'earliest')).get(0), 'nothing was removed').toBe(0);
  await run(pipeline, { ...options, until: 'end' }).done;
  expect(await counted()).toBe(COUNT);
  const read = (await client.committed(id, shuffle)).get(0) as number;
  // The next start removes what this one has read.
  const next = run(pipeline, options);
  await eventually('its removal', async () => (await client.offsets(shuffle, 'earliest')).get(0) === read);
  await next.stop();
  expect((await client.offsets(source, 'earliest')).get(0)).toBe(0);
});

it('a stage that has no committed offsets does not take the rest of its shuffle for all of it', {
  timeout: 120_000,
}, async () => {
  const { brokers, client, id, out, shuffle, source } = await setUp();
  const write = source.pipe(
    keyBy((key) => key),
    to(shuffle),
  );
  const read = shuffle.pipe(
    mapValues(() => 1),
    to(out),
  );
  const options = { applicationId: id, brokers, until: 'end' } as const;
  await run(write, options).done;
  await client.topics.deleteRecords(shuffle, [{ partition: 0, offset: 10 }]);
  const error = await run([write, read], options).done.catch((failure: MillraceError) => failure);
  expect(error).toMatchObject({ code: 'ERR_OFFSET_OUT_OF_RANGE', topic: shuffle.name, offset: 0, lastOffset: 9 });
});

it('changelogs keep the records of deletions for a day, whatever the default of the brokers is', async () => {
  const { brokers, id, out, source } = await setUp();
  const pipeline = source.pipe(
    keyBy((key) => key),
    through(topic(`${id}-shuffle`, { key: string(), value: string(), partitions: 1 })),
    countByKey({ store: 'counts' }),
    to(out),
  );
  await run(pipeline, { applicationId: id, brokers, until: 'end' }).done;
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const name = `${id}-counts-changelog`;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name, configNames: ['delete.retention.ms'] }],
  });
  await admin.disconnect();
  // Said by the topic itself: an entry that is no default.
  expect(resources[0]?.configEntries).toMatchObject([{ configValue: String(DAY), isDefault: false }]);
});

it('keeps timestamps in the topics that it creates, and warns of one that replaces them', {
  timeout: 60_000,
}, async () => {
  const { brokers, id, out, shuffle, source } = await setUp();
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  onTestFinished(() => admin.disconnect());
  const configEntries = [{ name: 'message.timestamp.type', value: 'LogAppendTime' }];
  await admin.createTopics({ topics: [{ topic: out.name, numPartitions: 1, configEntries }] });
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => void warnings.push(text) };
  const pipeline = source.pipe(
    keyBy((key) => key),
    through(shuffle),
    countByKey({ store: 'counts' }),
    to(out),
  );
  await run(pipeline, { applicationId: id, brokers, logger, until: 'end' }).done;

  const configNames = ['message.timestamp.type'];
  const type = ConfigResourceTypes.TOPIC;
  const names = [source.name, shuffle.name, `${id}-counts-changelog`];
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type, name, configNames })),
  });
  const found = resources.map(({ configEntries: [entry] }) => [entry?.configValue, entry?.isDefault]);
  // Of the topic, not the default of the broker.
  expect(found).toEqual(names.map(() => ['CreateTime', false]));
  const restamped = warnings.filter((text) => text.includes('replaces the timestamps'));
  expect(restamped.map((text) => text.split(' ')[1])).toEqual([out.name]);
});
