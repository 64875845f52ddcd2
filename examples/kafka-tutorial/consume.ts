import { type Client, json } from 'millrace';
import { firstValueFrom, toArray } from 'rxjs';
import type { Order, TutorialTopics } from './topics.ts';

/** Resolves when a group has committed this many records of a topic, in all partitions together. */
async function committed(
  client: Client,
  group: string,
  topic: { readonly name: string },
  total: number,
): Promise<void> {
  for (;;) {
    const offsets = await client.committed(group, topic);
    if (offsets.size > 0 && [...offsets.values()].reduce((sum, offset) => sum + offset, 0) === total) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const endOf = async (client: Client, topic: { readonly name: string }): Promise<number> =>
  [...(await client.offsets(topic, 'latest')).values()].reduce((sum, offset) => sum + offset, 0);

/** New records only, with automatic commits. */
export async function latest(client: Client, { orders }: TutorialTopics): Promise<string> {
  const before = await endOf(client, orders);
  const group = `${orders.name}-latest`;
  const items: string[] = [];
  const subscription = client
    .records(orders, { group, from: 'latest', commitInterval: '100ms' })
    .subscribe(({ value }) => items.push(`${value?.item}`));
  // Its start position is committed too, so from then on no record is skipped.
  await committed(client, group, orders, before);
  await client.publishAll(orders, [
    { key: 'new', value: { item: 'cake', total: 4 } },
    { key: 'new', value: { item: 'pie', total: 5 } },
  ]);
  await committed(client, group, orders, before + 2);
  subscription.unsubscribe();
  return `${items.join(' and ')}, committed by itself`;
}

/** All records from the oldest one to the end. */
export async function earliest(client: Client, { orders }: TutorialTopics): Promise<string> {
  let count = 0;
  await client.records(orders, { from: 'earliest', until: 'end' }).forEach(() => (count += 1));
  return `${count} records`;
}

/** A group remembers how far it has read. Here the program commits, record by record. */
export async function byGroup(client: Client, { orders }: TutorialTopics): Promise<string> {
  const options = { group: `${orders.name}-group`, from: 'earliest', until: 'end', commit: 'explicit' } as const;
  let [first, second] = [0, 0];
  for await (const record of client.records(orders, options)) {
    if (first === 60) break;
    first += 1;
    await record.commit();
  }
  for await (const record of client.records(orders, options)) {
    second += 1;
    await record.commit();
  }
  return `${first} processed, then the program ended; ${second} after its restart`;
}

/** Chosen partitions, without a group. */
export async function manual(client: Client, { orders }: TutorialTopics): Promise<string> {
  const counts: number[] = [];
  for (const partition of [0, 1, 2]) {
    const records = client.records(orders, { partitions: [partition], from: 'earliest', until: 'end' });
    counts.push((await firstValueFrom(records.pipe(toArray()))).length);
  }
  return `${counts.join(' + ')} records`;
}

/** All topics of a pattern; `other` adds one while the subscription is open. */
export async function pattern(
  client: Client,
  other: Client,
  { prefix, region, regions }: TutorialTopics,
): Promise<string> {
  await client.publish(region('north'), { value: { item: 'ice', total: 1 } });
  const records = client.records(regions, { value: json<Order>(), from: 'earliest', metadataMaxAge: '100ms' });
  const found: string[] = [];
  for await (const { topic, value } of records) {
    found.push(`${value.item} of ${topic.slice(prefix.length + 1)}`);
    if (found.length === 2) break;
    await other.publish(region('south'), { value: { item: 'sun', total: 2 } });
  }
  return found.join(', ');
}
