import { type ConsumerRunConfig, Kafka, logLevel } from 'kafkajs';
import { run } from 'millrace';
import type { Click } from '../shared/clicks.ts';
import { withScratch } from '../shared/scratch.ts';
import { CLICKS, type Count, isWanted, PARTITIONS, pipelineOf, viewOf, WINDOW_MS, type Work } from './works.ts';

export type Guarantee = 'at-least-once' | 'exactly-once';

export interface Contest {
  readonly brokers: readonly string[];
  readonly work: Work;
  readonly guarantee: Guarantee;
  /** The committed offsets of this group tell when it is done. */
  readonly group: string;
  readonly output: string;
  readonly records: number;
}

/** Ends when all is done and committed; its stores are on disk. @returns When the first record was read. */
export function millraceApp({ brokers, group, guarantee, output, work }: Contest): Promise<number> {
  return withScratch(async (stateDir) => {
    const app = run(pipelineOf(work, output), {
      applicationId: group,
      brokers,
      stateDir,
      kafka: { guarantee },
      compression: 'lz4',
      until: 'end',
    });
    let firstAt = 0;
    // Looked at from outside, so that nothing is added to the pipeline.
    const looking = setInterval(() => {
      if (app.snapshot().recordsIn === 0) return;
      firstAt = Date.now();
      clearInterval(looking);
    }, 1);
    await app.done;
    clearInterval(looking);
    return firstAt;
  });
}

const kafkajs = (brokers: readonly string[]): Kafka =>
  new Kafka({ brokers: [...brokers], clientId: 'bench', logLevel: logLevel.ERROR });

/** More messages in one `send` are slower: it groups them by copying. */
const CHUNK = 1_000;

interface Out {
  readonly key: string;
  readonly value: string;
  readonly timestamp: string;
}

/** The loop that people write by hand: at least once, and what it counts is in memory only. */
export async function kafkajsLoop({ brokers, group, output, records, work }: Contest): Promise<number> {
  const kafka = kafkajs(brokers);
  const producer = kafka.producer();
  await producer.connect();
  const make = work === 'map' ? views : counting(work);
  const firstAt = await consumeAll(kafka, group, records, async ({ batch, heartbeat }) => {
    const rows: Out[] = [];
    for (const { key, timestamp, value } of batch.messages) {
      make(batch.partition, String(key), JSON.parse(String(value)) as Click, timestamp, rows);
    }
    for (let at = 0; at < rows.length; at += CHUNK) {
      await producer.send({ topic: output, messages: rows.slice(at, at + CHUNK) });
      await heartbeat();
    }
  });
  await producer.disconnect();
  return firstAt;
}

/** Reads and counts. */
export function kafkajsReading({ brokers, group, records }: Contest): Promise<number> {
  return consumeAll(kafkajs(brokers), group, records, async () => undefined);
}

async function consumeAll(
  kafka: Kafka,
  groupId: string,
  records: number,
  onBatch: NonNullable<ConsumerRunConfig['eachBatch']>,
): Promise<number> {
  const consumer = kafka.consumer({ groupId });
  await consumer.connect();
  await consumer.subscribe({ topic: CLICKS, fromBeginning: true });
  let firstAt = 0;
  let left = records;
  await new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    void consumer.run({
      autoCommit: false,
      eachBatch: async (payload) => {
        firstAt ||= Date.now();
        const { batch } = payload;
        await onBatch(payload);
        const offset = String(Number(batch.lastOffset()) + 1);
        await consumer.commitOffsets([{ topic: CLICKS, partition: batch.partition, offset }]);
        left -= batch.messages.length;
        if (left === 0) resolve();
      },
    });
  });
  await consumer.disconnect();
  return firstAt;
}

type Make = (partition: number, key: string, click: Click, timestamp: string, rows: Out[]) => void;

const views: Make = (_, key, click, timestamp, rows) => {
  if (isWanted(click)) rows.push({ key, value: JSON.stringify(viewOf(click)), timestamp });
};

function counting(work: Work): Make {
  const size = WINDOW_MS[work as keyof typeof WINDOW_MS];
  // Clicks of a partition are in the order of time, so one window of a partition is open.
  const open = Array.from({ length: PARTITIONS }, () => ({ start: 0, clicks: new Map<string, number>() }));
  return (partition, key, { at }, _, rows) => {
    const window = open[partition] as (typeof open)[number];
    const start = at - (at % size);
    if (start > window.start) {
      for (const [user, clicks] of window.clicks) {
        const count: Count = { start: window.start, clicks };
        rows.push({ key: user, value: JSON.stringify(count), timestamp: String(window.start) });
      }
      window.start = start;
      window.clicks.clear();
    }
    window.clicks.set(key, (window.clicks.get(key) ?? 0) + 1);
  };
}
