import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigError } from '../../errors.ts';
import { DEFAULT_TOPIC_CONFIG } from '../local/topic-config.ts';
import { Batches } from './batches.ts';
import { Catalog, type StoredTopic } from './catalog.ts';
import { prepareFolder } from './folder.ts';
import { offsetOfKey, partitionOfKey, topicIdOfKey } from './keys.ts';
import { DATA_FILE, type Databases, flushToDisk, openDatabases } from './lmdb.ts';
import type { IndexEntry } from './partition-state.ts';
import { type LostRecords, survey } from './survey.ts';
import { readUint32 } from './uint32.ts';

/** What was copied and what was lost. @public */
export interface SalvageReport {
  readonly batches: number;
  readonly stateEntries: number;
  /** Topics, partitions, committed offsets and similar entries. */
  readonly catalogEntries: number;
  /** Descriptions of all damage that was found. */
  readonly damage: readonly string[];
  /** Records that are known to be lost. */
  readonly lost: readonly LostRecords[];
  /** New names of topics whose name and configuration were lost. */
  readonly renamed: readonly string[];
}

interface Found {
  start: number;
  end: number;
  bytes: number;
}

const ENTRIES_PER_TRANSACTION = 2000;

/**
 * Copies everything intact from a damaged log to a new folder and reports the rest. The damaged file is only read, and
 * not through LMDB, so that damage cannot crash the process. No other process may use the folder meanwhile.
 *
 * Offsets stay the same; lost records leave gaps. Partially lost state no longer matches the committed offsets: if
 * `damage` mentions stores, reset the application.
 *
 * @param path - Folder of the damaged log.
 * @param target - A folder that does not exist yet or is empty.
 * @throws ConfigError `ERR_SALVAGE_TARGET`
 * @public
 */
export async function salvage(path: string, target: string): Promise<SalvageReport> {
  if (resolve(path) === resolve(target) || (existsSync(target) && readdirSync(target).length > 0)) {
    throw new ConfigError('ERR_SALVAGE_TARGET', `${target} is not an empty folder`, { hint: 'choose a new folder' });
  }
  prepareFolder(target, true);
  const db = await openDatabases(join(target, DATA_FILE));
  try {
    return await copy(path, db);
  } finally {
    await db.root.close();
  }
}

async function copy(path: string, db: Databases): Promise<SalvageReport> {
  const copied = { batches: 0, stateEntries: 0, catalogEntries: 0 };
  const found = new Map<number, Map<number, Found>>();
  const batches = new Batches(db);
  const write = grouped(db);
  let highestStore = 0;
  const { damage, lost } = survey(path, {
    meta: (key, sealed) => {
      copied.catalogEntries++;
      write(() => db.meta.putSync(key, Uint8Array.from(sealed)));
    },
    state: (key, sealed) => {
      copied.stateEntries++;
      highestStore = Math.max(highestStore, readUint32(key, 0));
      write(() => db.state.putSync(key, Uint8Array.from(sealed)));
    },
    batch: (key, bytes, entry) => {
      copied.batches++;
      const [topicId, partition, offset] = [topicIdOfKey(key), partitionOfKey(key), offsetOfKey(key)];
      note(found, topicId, partition, offset, entry);
      write(() => batches.put(topicId, partition, offset, Uint8Array.from(bytes), entry));
    },
  });
  write.end();
  const renamed: string[] = [];
  db.root.transactionSync(() => renamed.push(...repairCatalog(new Catalog(db), found, lost, highestStore)));
  await flushToDisk(db);
  return { ...copied, damage, lost, renamed };
}

/** Writes in transactions of a few thousand entries. */
function grouped(db: Databases): { (write: () => unknown): void; end(): void } {
  let pending: (() => unknown)[] = [];
  const end = (): void => {
    const writes = pending;
    pending = [];
    db.root.transactionSync(() => {
      for (const write of writes) write();
    });
  };
  const add = (write: () => unknown): void => {
    pending.push(write);
    if (pending.length >= ENTRIES_PER_TRANSACTION) end();
  };
  return Object.assign(add, { end });
}

function note(
  found: Map<number, Map<number, Found>>,
  topicId: number,
  partition: number,
  offset: number,
  entry: IndexEntry,
): void {
  let partitions = found.get(topicId);
  if (partitions === undefined) found.set(topicId, (partitions = new Map()));
  const known = partitions.get(partition);
  if (known === undefined) {
    partitions.set(partition, { start: offset, end: entry.nextOffset, bytes: entry.bytes });
    return;
  }
  known.start = Math.min(known.start, offset);
  known.end = Math.max(known.end, entry.nextOffset);
  known.bytes += entry.bytes;
}

/**
 * Makes topics and partitions consistent with the existing batches. @returns new names of topics that had lost theirs.
 */
function repairCatalog(
  catalog: Catalog,
  found: ReadonlyMap<number, ReadonlyMap<number, Found>>,
  lost: readonly LostRecords[],
  highestStore: number,
): string[] {
  const topics = new Map([...catalog.topics().values()].map((topic) => [topic.id, topic]));
  const renamed: string[] = [];
  for (const [id, partitions] of found) {
    const least = Math.max(...partitions.keys()) + 1;
    const known = topics.get(id);
    const name = `recovered-${id}`;
    const topic: StoredTopic = known ?? {
      id,
      name,
      partitions: least,
      // A default must not remove rescued records.
      config: { ...DEFAULT_TOPIC_CONFIG, retentionMs: -1 },
    };
    if (known === undefined) renamed.push(name);
    if (known === undefined || known.partitions < least) {
      catalog.putTopics([{ ...topic, partitions: Math.max(topic.partitions, least) }]);
    }
    for (const [partition, place] of partitions) {
      const state = catalog.partition(id, partition);
      const lastLost = lost.filter((range) => range.topic === topic.name && range.partition === partition);
      catalog.putPartition(id, partition, {
        start: state.end === 0 ? place.start : state.start,
        end: Math.max(state.end, place.end, ...lastLost.map((range) => range.lastOffset + 1)),
        bytes: place.bytes,
        compactedTo: 0,
      });
    }
  }
  // Ids must not be assigned twice: a new topic or store would have what is left of an old one.
  const highest = Math.max(highestStore, ...found.keys(), ...topics.keys());
  while (catalog.newId() < highest);
  return renamed;
}
