import {
  type Client,
  FatalError,
  type GroupDescription,
  type PartitionOffsets,
  type TopicPartition,
} from '../index.ts';
import { meant } from '../options/nearest.ts';

/** @throws FatalError `ERR_UNKNOWN_GROUP` with a similar name as suggestion */
export async function known(client: Client, group: string): Promise<GroupDescription> {
  const found = await client.groups.describe(group);
  if (found !== undefined) return found;
  const names = await client.groups.list();
  throw new FatalError('ERR_UNKNOWN_GROUP', `group ${group} has no committed offsets and no members`, {
    hint: names.length === 0 ? 'there are no groups: is this the right folder or cluster?' : meant(group, names),
  });
}

/** The committed offsets of a topic. */
export const committedIn = (
  topic: string,
  offsets: readonly (TopicPartition & { readonly offset: number })[],
): PartitionOffsets =>
  new Map(offsets.filter((each) => each.topic === topic).map(({ partition, offset }) => [partition, offset]));
