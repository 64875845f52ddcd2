import { type Client, MillraceError } from 'millrace';
import type { TutorialTopics } from './topics.ts';

/** Creates a topic and describes it. */
export async function createAndDescribe({ topics }: Client, { orders }: TutorialTopics): Promise<string> {
  await topics.create(orders, { config: { retentionMs: 86_400_000 } });
  const description = await topics.describe(orders);
  const { cleanup, retentionMs } = description?.config ?? {};
  return `${description?.partitions} partitions, cleanup ${cleanup}, records kept for ${Number(retentionMs) / 3_600_000} h`;
}

/** Publishes one record with key, headers and timestamp. After the await it is on disk, or on all in-sync replicas. */
export async function publishOne(client: Client, { orders }: TutorialTopics): Promise<string> {
  const sent = await client.publish(orders, {
    key: 'ada',
    value: { item: 'tea', total: 3 },
    headers: [['source', new TextEncoder().encode('tutorial')]],
    timestamp: Date.UTC(2026, 0, 31),
  });
  return `ada is in partition ${sent.partition} at offset ${sent.offset}, of ${new Date(sent.timestamp).toISOString()}`;
}

/** Calls that are not awaited one by one share batches; the promise of each call reports on its own record. */
export async function publishMany(client: Client, { orders }: TutorialTopics): Promise<string> {
  const sends = Array.from({ length: 100 }, (_, n) =>
    client.publish(orders, { key: `customer-${n % 10}`, value: { item: 'tea', total: n } }),
  );
  // One goes to a partition that does not exist. This does not affect the others.
  sends.push(client.publish(orders, { key: 'bob', value: null, partition: 99 }));
  const outcomes = await Promise.allSettled(sends);
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  const [error] = failures;
  if (!(error instanceof MillraceError)) throw error;
  const sent = outcomes.length - failures.length;
  return `${sent} sent, ${failures.length} refused: ${error.code}, written: ${error.written}`;
}

/** JSON and MessagePack are serdes of their topics; null is a tombstone, which deletes a key. */
export async function values(client: Client, { orders, readings }: TutorialTopics): Promise<string> {
  await client.publish(orders, { key: 'ada', value: null });
  await client.publish(readings, { key: 'kitchen', value: { degrees: 21.5, at: new Date(0) } });
  const found: string[] = [];
  const ada = client.records(orders, { from: 'earliest', until: 'end' });
  for await (const { key, value } of ada) if (key === 'ada') found.push(JSON.stringify(value));
  for await (const { value } of client.records(readings, { from: 'earliest', until: 'end' })) {
    found.push(`${value.degrees} degrees in ${value.at.getUTCFullYear()}`);
  }
  return found.join(', ');
}
