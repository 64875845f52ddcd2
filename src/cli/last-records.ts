import type { Client } from '../index.ts';
import { type BytesRecord, recordsBetween } from '../letters/read-letters.ts';

/**
 * The last record of each partition. On Kafka a transaction marker takes an offset too, so the record need not be at
 * the last offset.
 */
export async function lastRecords(client: Client, topic: string, signal: AbortSignal): Promise<BytesRecord[]> {
  const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
  const start = (partition: number): number => starts.get(partition) ?? 0;
  const last = new Map<number, BytesRecord>();
  let left = [...ends].filter(([partition, end]) => start(partition) < end);
  for (let back = 2; left.length > 0; back *= 8) {
    const from = new Map(left.map(([partition, end]) => [partition, Math.max(start(partition), end - back)]));
    for await (const record of recordsBetween(client, topic, { from, until: new Map(left), signal })) {
      last.set(record.partition, record);
    }
    left = left.filter(([partition]) => !last.has(partition) && start(partition) < (from.get(partition) ?? 0));
  }
  return [...last.values()];
}
