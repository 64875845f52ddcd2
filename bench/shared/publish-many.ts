import { type Client, connect, type Target } from 'millrace';

const CHUNK = 10_000;

/** Publishes records 0 to `count` − 1 to a new topic of one partition. */
export async function publishMany<K, V>(
  path: string,
  topic: Target<K, V>,
  count: number,
  record: (at: number) => { readonly key: K; readonly value: V; readonly timestamp: number },
): Promise<void> {
  const client: Client = await connect({ path });
  await client.topics.create(topic.name, { partitions: 1, ifMissing: true });
  for (let at = 0; at < count; at += CHUNK) {
    await client.publishAll(
      topic,
      Array.from({ length: Math.min(CHUNK, count - at) }, (_, index) => record(at + index)),
    );
  }
  await client.close();
}
