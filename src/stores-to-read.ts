import { noLogger } from './log/logger.ts';
import { storesOf } from './log/offset-mark.ts';
import type { CommittedOffset, Transport } from './log/transport.ts';
import {
  Changelog,
  changelogPosition,
  changelogTopic,
  POSITIONS,
  type RestoredTask,
  type RestoreProgress,
} from './runtime/app/changelog.ts';
import type { ReadableStores, StoreId } from './state/byte-store.ts';
import { memoryStores } from './state/memory-backend.ts';

/** Which stores of an application to read; all known ones if none is named. */
export interface WantedStores {
  readonly applicationId: string;
  readonly names: readonly string[] | undefined;
  /** The offsets that the group has committed. */
  readonly offsets: readonly CommittedOffset[];
  readonly progress: (progress: RestoreProgress) => void;
}

/** Rebuilds stores from their changelog topics in memory, by the same rules as a start of the application. */
export async function storesOfChangelogs(log: Transport, wanted: WantedStores): Promise<ReadableStores> {
  const { applicationId, offsets, progress } = wanted;
  const names = await storeNames(log, wanted);
  const topics = await log.topics.describeAll(names.map((name) => changelogTopic(applicationId, name)));
  // Stores of one partition are restored together: which of them belong to one task, their commits say.
  const tasks = new Map<number, RestoredTask & { readonly stores: StoreId[] }>();
  for (const store of names) {
    for (
      let partition = 0;
      partition < (topics.get(changelogTopic(applicationId, store))?.partitions ?? 0);
      partition += 1
    ) {
      const own = offsets
        .filter((offset) => offset.partition === partition)
        .map((offset) => [offset.topic, offset] as const);
      const task = tasks.get(partition) ?? { committed: new Map(own), stores: [] };
      task.stores.push({ applicationId, store, partition });
      tasks.set(partition, task);
    }
  }
  const stores = memoryStores();
  const changelog = new Changelog(log, stores, applicationId, topics, () => 0, noLogger);
  await changelog.restore([...tasks.values()], progress);
  return visible({ open: (id) => stores.open(id), list: () => stores.list(applicationId) });
}

async function storeNames(log: Transport, { applicationId, names, offsets }: WantedStores): Promise<readonly string[]> {
  const prefix = `${applicationId}-`;
  if (names !== undefined) {
    const there = await log.topics.facts(names.map((name) => changelogTopic(applicationId, name)));
    // If a requested store does not exist, the error lists those that do.
    if (there.size > 0) return names.filter((name) => there.has(changelogTopic(applicationId, name)));
  }
  const others = (await log.groups()).filter((group) => group.startsWith(prefix));
  const found = new Set(offsets.flatMap((offset) => [...(storesOf(offset) ?? [])]));
  for (const topic of await log.topics.list()) {
    if (!topic.startsWith(prefix) || !topic.endsWith('-changelog')) continue;
    // It may belong to an application whose name starts with this one's.
    if (others.some((other) => topic.startsWith(`${other}-`))) continue;
    found.add(topic.slice(prefix.length, -'-changelog'.length));
  }
  return [...found].sort();
}

/**
 * Presents the stores that several processes keep for one application as one set: for each partition, the copy that is
 * furthest ahead in its changelog.
 */
export function merged(folders: readonly ReadableStores[]): ReadableStores {
  const places = (): ReadonlyMap<
    string,
    { readonly id: StoreId; readonly from: ReadableStores; readonly at: number }
  > => {
    const best = new Map<string, { readonly id: StoreId; readonly from: ReadableStores; readonly at: number }>();
    for (const from of folders) {
      for (const id of from.list()) {
        const at = changelogPosition(from, id);
        const key = `${id.store}/${id.partition}`;
        if ((best.get(key)?.at ?? -1) < at) best.set(key, { id, from, at });
      }
    }
    return best;
  };
  return visible({
    list: () => [...places().values()].map(({ id }) => id),
    open: (id) => (places().get(`${id.store}/${id.partition}`)?.from ?? memoryStores()).open(id),
  });
}

/** The stores without the bookkeeping about changelogs. */
function visible(stores: ReadableStores): ReadableStores {
  return { ...stores, list: () => stores.list().filter(({ store }) => store !== POSITIONS) };
}
