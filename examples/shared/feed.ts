import type { Client, PublishRecord, Target } from 'millrace';

/** Records of a feed, in chunks. */
type Chunks<K, V> =
  | AsyncIterable<readonly PublishRecord<NoInfer<K>, NoInfer<V>>[]>
  | Iterable<readonly PublishRecord<NoInfer<K>, NoInfer<V>>[]>;

/** The result of publishing a feed. */
export interface Fed {
  /** Records that earlier runs had published. */
  readonly before: number;
  /** Records published now. */
  readonly published: number;
}

/** Creates topics that keep their records: by default, a log removes them after seven days, as Kafka does. */
export async function createTopics(client: Client, topics: readonly { readonly name: string }[]): Promise<void> {
  for (const topic of topics) await client.topics.create(topic, { config: { retentionMs: -1 }, ifMissing: true });
}

/** How many records a topic has, in all partitions. */
export async function recordCount(client: Client, topic: { readonly name: string }): Promise<number> {
  let count = 0;
  for (const offset of (await client.offsets(topic, 'latest')).values()) count += offset;
  return count;
}

/**
 * Publishes a feed that always has the same records in the same order, and can be killed at any moment: each chunk is
 * written completely or not at all, so the number of records in the topic says where to continue.
 *
 * @param chunks - The feed from a position on.
 */
export async function feed<K, V>(
  client: Client,
  topic: Target<K, V>,
  chunks: (from: number) => Chunks<K, V>,
  options: {
    readonly signal: AbortSignal;
    /** Called with the number of records in the topic. */
    readonly onChunk?: (count: number) => void;
  },
): Promise<Fed> {
  const before = await recordCount(client, topic);
  let published = 0;
  for await (const chunk of chunks(before)) {
    if (options.signal.aborted) break;
    await client.publishAll(topic, chunk);
    published += chunk.length;
    options.onChunk?.(before + published);
  }
  return { before, published };
}

/** Splits a list into chunks, starting at a position. */
export function* inChunks<R>(records: readonly R[], size: number, from: number): Generator<readonly R[]> {
  for (let at = from; at < records.length; at += size) yield records.slice(at, at + size);
}
