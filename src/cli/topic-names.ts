import { type Client, FatalError, type TopicDescription } from '../index.ts';
import { nearest } from '../options/nearest.ts';

/** The most names to list in a hint. */
const LISTED = 20;

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

/** A hint with the most similar name, or a list of the names. */
export function meant(name: string, names: readonly string[]): string {
  const near = nearest(
    name,
    names.filter((each) => each !== name),
  );
  const more = names.length > LISTED ? `, … (${names.length})` : '';
  return near === undefined ? `there are ${names.slice(0, LISTED).join(', ')}${more}` : `did you mean ${near}?`;
}
