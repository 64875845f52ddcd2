import { type Client, ConfigError, type PartitionOffsets } from '../index.ts';
import type { Mark, Range } from './offsets.ts';

/** The start offset (inclusive) and end offset (exclusive) of each partition. */
export interface Bounds {
  readonly from: PartitionOffsets;
  /** A partition that is missing, or no map at all, means no end. */
  readonly until: PartitionOffsets | undefined;
}

/** Finds the current offsets of a range. @throws ConfigError `ERR_OPTION` for `stored` without a group */
export async function boundsOf(client: Client, topic: string, { from, until }: Range, group?: string): Promise<Bounds> {
  const [starts, ends] = await Promise.all([client.offsets(topic, 'earliest'), client.offsets(topic, 'latest')]);
  const place = (mark: Mark): Promise<PartitionOffsets> => placeOf(client, topic, mark, starts, ends, group);
  return { from: await place(from), until: until === undefined ? undefined : await place(until) };
}

async function placeOf(
  client: Client,
  topic: string,
  mark: Mark,
  starts: PartitionOffsets,
  ends: PartitionOffsets,
  group: string | undefined,
): Promise<PartitionOffsets> {
  const each = (at: (start: number, end: number) => number): PartitionOffsets =>
    new Map([...ends].map(([partition, end]) => [partition, at(starts.get(partition) ?? 0, end)]));
  switch (mark.kind) {
    case 'start':
      return starts;
    case 'end':
      return ends;
    case 'offset':
      return each((start, end) => Math.min(Math.max(mark.offset, start), Math.max(end, mark.offset)));
    case 'afterStart':
      return each((start, end) => Math.min(start + mark.count, end));
    case 'beforeEnd':
      return each((start, end) => Math.max(start, end - mark.count));
    case 'time': {
      const found = await client.offsets(topic, { time: new Date(mark.time) });
      return new Map([...ends].map(([partition, end]) => [partition, found.get(partition) ?? end]));
    }
    case 'stored': {
      if (group === undefined) {
        throw new ConfigError('ERR_OPTION', '--offset stored is given without a group', {
          hint: 'stored offsets belong to a group: add --group NAME',
        });
      }
      const committed = await client.committed(group, topic);
      return new Map([...starts].map(([partition, start]) => [partition, committed.get(partition) ?? start]));
    }
  }
}
