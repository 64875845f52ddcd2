import { type Client, FatalError, type TopicDescription } from '../index.ts';
import { meant } from '../options/nearest.ts';

/** @throws FatalError `ERR_UNKNOWN_TOPIC` with a similar name as suggestion */
export async function existing(client: Client, topic: string): Promise<TopicDescription> {
  const description = await client.topics.describe(topic);
  if (description !== undefined) return description;
  const names = await client.topics.list();
  throw new FatalError('ERR_UNKNOWN_TOPIC', `there is no topic ${topic}`, {
    topic,
    hint: names.length === 0 ? 'there are no topics: is this the right folder or cluster?' : meant(topic, names),
  });
}
