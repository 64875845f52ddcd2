import type { Client } from '../client/client.ts';
import type { LogOverview } from './live-data.ts';

/** How many topics are looked up together, so that thousands of topics do not cause thousands of requests at once. */
const AT_ONCE = 16;

/** The topics of a log, and how far its groups are behind. */
export async function overviewOf(client: Client): Promise<LogOverview> {
  const topics = await inParts(await client.topics.list(), async (name) => {
    const [first, last] = await Promise.all([client.offsets(name, 'earliest'), client.offsets(name, 'latest')]);
    const records = [...last].reduce((sum, [partition, end]) => sum + end - (first.get(partition) ?? 0), 0);
    return { name, partitions: last.size, records };
  });
  const groups = await inParts(await client.groups.list(), async (name) => {
    const described = await client.groups.describe(name);
    const read = [...new Set(described?.offsets.map(({ topic }) => topic))];
    const lags = await inParts(read, async (topic) => {
      const lag = await client.lag(name, topic);
      return { topic, lag: [...lag.values()].reduce((sum, each) => sum + each, 0), partitions: lag.size };
    });
    return { name, active: described?.active ?? false, topics: lags };
  });
  return { topics, groups };
}

/** Items that were deleted meanwhile are left out. */
async function inParts<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE) {
    const results = await Promise.allSettled(all.slice(from, from + AT_ONCE).map(work));
    for (const result of results) if (result.status === 'fulfilled') done.push(result.value);
  }
  return done;
}
