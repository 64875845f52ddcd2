import type { KnownTopic, NewTopic, TopicAdmin } from '../../log/transport.ts';
import { topicExists } from '../local/errors.ts';
import {
  changeConfig,
  checkPartitionCount,
  checkTopicName,
  DEFAULT_TOPIC_CONFIG,
  withoutOwner,
} from '../local/topic-config.ts';
import type { StoredTopic } from './catalog.ts';
import type { EmbeddedLog } from './embedded-log.ts';

const WRITE_BYTES = 4096;
/** For writes that free space: they are tried even when no space is left. */
export const FREES_SPACE = 0;
/** Batches removed in one transaction, so that others can write in between. */
const DROP_BATCHES = 500;

/** Creates the missing topics in one transaction. @throws as `TopicAdmin.create` */
async function createTopics(log: EmbeddedLog, topics: readonly NewTopic[]): Promise<void> {
  const wanted = topics.map(({ name, partitions, config }) => {
    checkTopicName(name);
    checkPartitionCount(name, partitions);
    return { name, partitions, config: changeConfig(name, DEFAULT_TOPIC_CONFIG, config) };
  });
  const created = await log.writer.write(WRITE_BYTES * wanted.length, () => {
    const there = log.catalog.topics();
    const missing = wanted.filter(({ name }) => !there.has(name));
    log.catalog.putTopics(missing.map((topic) => ({ id: log.catalog.newId(), ...topic })));
    return missing;
  });
  for (const { name } of created) log.announceTopic(name);
}

function known(log: EmbeddedLog, names: readonly string[]): ReadonlyMap<string, KnownTopic> {
  const topics = log.catalog.topics();
  const found = new Map<string, KnownTopic>();
  for (const name of names) {
    const topic = topics.get(name);
    if (topic !== undefined) found.set(name, { ...topic, id: String(topic.id) });
  }
  return found;
}

/** Marks topics that are not marked yet, in one transaction: a second caller finds the mark of the first. */
async function claimTopics(log: EmbeddedLog, names: readonly string[], claim: string): Promise<void> {
  await log.writer.write(WRITE_BYTES * names.length, () => {
    const there = log.catalog.topics();
    const free = names
      .flatMap((name) => there.get(name) ?? [])
      .filter(({ config }) => {
        return config.owner === undefined && config.claim === undefined;
      });
    log.catalog.putTopics(free.map((topic) => ({ ...topic, config: { ...topic.config, claim } })));
  });
}

/** Administration of the topics of a folder. @param live - Returns the log; throws if the transport is closed. */
export function embeddedTopics(live: () => EmbeddedLog): TopicAdmin {
  const change = async (log: EmbeddedLog, name: string, edit: (topic: StoredTopic) => StoredTopic): Promise<void> => {
    await log.writer.write(WRITE_BYTES, () => log.catalog.putTopics([edit(log.topic(name))]));
    log.announceTopic(name);
  };
  return {
    list: async () => [...live().catalog.topics().keys()].sort(),
    describe: async (name) => {
      const topic = live().catalog.topics().get(name);
      return topic && { name, partitions: topic.partitions, config: topic.config };
    },
    create: async (name, options = {}) => {
      const log = live();
      const partitions = options.partitions ?? 1;
      checkTopicName(name);
      checkPartitionCount(name, partitions);
      const config = changeConfig(name, DEFAULT_TOPIC_CONFIG, options.config);
      await log.writer.write(WRITE_BYTES, () => {
        if (log.catalog.topics().has(name)) {
          if (options.ifMissing === true) return;
          throw topicExists(name);
        }
        log.catalog.putTopics([{ id: log.catalog.newId(), name, partitions, config }]);
      });
      log.announceTopic(name);
    },
    delete: async (name) => {
      const log = live();
      const topic = await log.writer.write(FREES_SPACE, () => {
        const found = log.topic(name);
        log.catalog.removeTopic(name);
        log.catalog.removeCommitted(found);
        log.forget(found.id);
        return found;
      });
      log.announceTopic(name);
      await purgeTopic(log, topic);
    },
    addPartitions: (name, total) =>
      change(live(), name, (topic) => {
        checkPartitionCount(name, total, topic.partitions);
        return { ...topic, partitions: total };
      }),
    facts: async (names) => known(live(), names),
    describeAll: async (names) => known(live(), names),
    createAll: async (topics) => createTopics(live(), topics),
    claimAll: async (names, claim) => claimTopics(live(), names, claim),
    release: (name) => change(live(), name, (topic) => ({ ...topic, config: withoutOwner(topic.config) })),
    configure: (name, config) =>
      change(live(), name, (topic) => ({ ...topic, config: changeConfig(name, topic.config, config) })),
    deleteRecords: async (name, before) => {
      const log = live();
      const topic = await log.writer.write(FREES_SPACE, () => {
        const found = log.topic(name);
        for (const { partition } of before) log.checkPartition(found, partition);
        for (const { partition, offset } of before) moveStart(log, found, partition, offset);
        return found;
      });
      for (const { partition } of before) await dropRemoved(log, topic, partition);
    },
  };
}

/** Moves the start of a partition, inside a transaction: from then on, nothing below the offset can be read. */
export function moveStart(log: EmbeddedLog, topic: StoredTopic, partition: number, offset: number): void {
  const state = log.touch(topic, partition);
  state.start = Math.max(state.start, Math.min(offset, state.end));
}

/** Removes the batches below the start of a partition. */
export async function dropRemoved(log: EmbeddedLog, topic: StoredTopic, partition: number): Promise<void> {
  const drop = (): boolean => {
    if (log.catalog.topics().get(topic.name)?.id !== topic.id) return false;
    return log.dropBefore(topic, partition, log.touch(topic, partition).start, DROP_BATCHES);
  };
  while (await log.writer.write(FREES_SPACE, drop));
}

/** Removes the remains of a deleted topic. After a crash midway, the next maintenance finishes the job. */
async function purgeTopic(log: EmbeddedLog, topic: Pick<StoredTopic, 'id' | 'partitions'>): Promise<void> {
  for (let partition = 0; partition < topic.partitions; partition++) {
    const drop = (): boolean => {
      const infos = log.batches.from(topic.id, partition, 0, DROP_BATCHES);
      for (const { baseOffset } of infos) log.batches.remove(topic.id, partition, baseOffset);
      if (infos.length === DROP_BATCHES) return true;
      log.catalog.removePartition(topic.id, partition);
      return false;
    };
    while (await log.writer.write(FREES_SPACE, drop));
  }
}
