import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../dataflow/clock.ts';
import { peekBatchHeader } from '../../protocol/batch-decoder.ts';
import { crc32c } from '../../protocol/crc32c.ts';
import { MAX_PARTITIONS } from '../local/topic-config.ts';
import type { StoredTopic } from './catalog.ts';
import { Damage, DataFile, type Tree } from './data-file.ts';
import { checkFreePages, type TreeEntry, walkTree } from './data-tree.ts';
import { DOORBELL } from './folder.ts';
import { metaKey, offsetOfKey, partitionOfKey, RECORD_KEY_BYTES, topicIdOfKey } from './keys.ts';
import { DATA_FILE } from './lmdb.ts';
import { decodeIndex, type IndexEntry } from './partition-state.ts';
import { isSound } from './sealed.ts';

/** Records that can no longer be read. @public */
export interface LostRecords {
  /** Name of the topic, or its number if the name is lost too. */
  readonly topic: string;
  readonly partition: number;
  /** First and last offset, both included. */
  readonly offset: number;
  readonly lastOffset: number;
}

/** The result of checking a data file. */
export interface Survey {
  /** A description of each fault. Empty for a sound file. */
  readonly damage: readonly string[];
  readonly lost: readonly LostRecords[];
}

/** Called with each sound entry. Batches come with their index entry, which is rebuilt if it is lost. */
export interface SurveyVisitor {
  meta(key: Uint8Array, sealed: Uint8Array): void;
  state(key: Uint8Array, sealed: Uint8Array): void;
  batch(key: Uint8Array, bytes: Uint8Array, entry: IndexEntry): void;
}

const CRC_FROM = 21;
const CRC_AT = 17;

/** Checks the structure of a file: that every page has the right place and type. Reads no values. */
export function checkStructure(folder: string, maxPages: number): readonly string[] {
  const damage: string[] = [];
  try {
    const file = new DataFile(join(folder, DATA_FILE));
    try {
      const visited = new Set<number>();
      const report = (reason: string): void => void damage.push(reason);
      const walk = (tree: Tree, order: 'bytes' | 'other'): void => {
        for (const entry of walkTree(file, tree, order, visited, report)) {
          if (entry.tree !== undefined) walk(entry.tree, 'bytes');
          if (visited.size > maxPages || damage.length > 0) return;
        }
      };
      walk(file.meta.mainTree, 'other');
      if (visited.size <= maxPages && damage.length === 0) checkFreePages(file, visited, report);
    } finally {
      file.close();
    }
  } catch (error) {
    damage.push(reasonOf(error));
  }
  return damage;
}

/** Reads everything in a folder's file, verifies all checksums, and passes each sound entry to a visitor. */
export function survey(folder: string, visitor?: SurveyVisitor): Survey {
  const damage: string[] = [];
  const lost: LostRecords[] = [];
  const report = (reason: string): void => void damage.push(reason);
  let file: DataFile;
  try {
    file = new DataFile(join(folder, DATA_FILE));
  } catch (error) {
    return { damage: [reasonOf(error)], lost };
  }
  try {
    const visited = new Set<number>();
    const trees = new Map<string, Tree>();
    for (const { key, tree } of walkTree(file, file.meta.mainTree, 'other', visited, report)) {
      if (tree !== undefined) trees.set(Buffer.from(key).toString('latin1').replace(/\0$/, ''), tree);
    }
    // LMDB makes the databases one after the other, and the doorbell comes after that: a process was killed in between.
    const unfinished =
      !existsSync(join(folder, DOORBELL)) && [...trees.values()].every(({ root }) => root === undefined);
    const entries = (name: string): Iterable<TreeEntry> => {
      const tree = trees.get(name);
      if (tree !== undefined) return walkTree(file, tree, 'bytes', visited, report);
      if (!unfinished) report(`the database "${name}" is missing`);
      return [];
    };
    const topics = surveyMeta(entries('meta'), report, visitor);
    const catalogWhole = damage.length === 0;
    const index = surveyIndex(entries('index'), report);
    const places: Places = { topics, catalogWhole, index, indexWhole: damage.length === 0 };
    surveyRecords(entries('log'), places, lost, report, visitor);
    surveySealed(entries('state'), 'an entry of a store', report, visitor?.state.bind(visitor));
    checkFreePages(file, visited, report);
  } finally {
    file.close();
  }
  return { damage, lost };
}

function surveySealed(
  entries: Iterable<TreeEntry>,
  what: string,
  report: (reason: string) => void,
  sound?: (key: Uint8Array, sealed: Uint8Array) => void,
): void {
  for (const entry of entries) {
    try {
      const sealed = entry.value();
      if (!isSound(entry.key, sealed)) throw new Damage(`${what} does not match its checksum`);
      sound?.(entry.key, sealed);
    } catch (error) {
      report(reasonOf(error));
    }
  }
}

function surveyMeta(
  entries: Iterable<TreeEntry>,
  report: (reason: string) => void,
  visitor?: SurveyVisitor,
): ReadonlyMap<number, StoredTopic> {
  const topics = new Map<number, StoredTopic>();
  const topicPrefix = Buffer.from(metaKey('topic', ''));
  surveySealed(entries, 'an entry of the catalog', report, (key, sealed) => {
    visitor?.meta(key, sealed);
    if (!Buffer.from(key).subarray(0, topicPrefix.length).equals(topicPrefix)) return;
    const topic = JSON.parse(Buffer.from(sealed.subarray(4)).toString()) as StoredTopic;
    topics.set(topic.id, topic);
  });
  return topics;
}

/** Index entries with their keys, by the key in hexadecimal. */
type Index = Map<string, { readonly key: Uint8Array; readonly entry: IndexEntry }>;

/** What is known about where batches belong. */
interface Places {
  readonly topics: ReadonlyMap<number, StoredTopic>;
  /** The catalog is undamaged, so `topics` is complete. */
  readonly catalogWhole: boolean;
  readonly index: Index;
  /** The index is undamaged too. */
  readonly indexWhole: boolean;
}

function surveyIndex(entries: Iterable<TreeEntry>, report: (reason: string) => void): Index {
  const index: Index = new Map();
  surveySealed(entries, 'an entry of the index', report, (key, sealed) => {
    if (key.length === RECORD_KEY_BYTES) index.set(hex(key), { key, entry: decodeIndex(sealed.subarray(4)) });
  });
  return index;
}

/**
 * Whether a batch without an index entry can belong where its key says. No checksum covers the topic and partition in
 * that key: a damaged key names a place where the batch never was, perhaps a partition with a huge number.
 */
function isPossible(key: Uint8Array, { topics, catalogWhole, indexWhole }: Places): boolean {
  if (indexWhole) return false;
  const topic = topics.get(topicIdOfKey(key));
  if (topic === undefined && catalogWhole) return false;
  return partitionOfKey(key) < (topic?.partitions ?? MAX_PARTITIONS);
}

function surveyRecords(
  entries: Iterable<TreeEntry>,
  places: Places,
  lost: LostRecords[],
  report: (reason: string) => void,
  visitor?: SurveyVisitor,
): void {
  const { topics, index } = places;
  const lose = (key: Uint8Array, lastOffset: number): void => {
    const id = topicIdOfKey(key);
    const topic = topics.get(id)?.name ?? `#${id}`;
    lost.push({ topic, partition: partitionOfKey(key), offset: offsetOfKey(key), lastOffset });
  };
  const seen = new Set<string>();
  for (const { key, value } of entries) {
    const name = hex(key);
    const indexed = index.get(name)?.entry;
    if (key.length !== RECORD_KEY_BYTES || seen.has(name) || (indexed === undefined && !isPossible(key, places))) {
      report('a batch has an impossible key');
      continue;
    }
    try {
      const bytes = value();
      const header = peekBatchHeader(bytes, 0);
      if (header === undefined || header.byteLength !== bytes.length) throw new Damage('a batch is cut off');
      if (header.baseOffset !== offsetOfKey(key)) throw new Damage('a batch is in the wrong place');
      if (crc32c(bytes, CRC_FROM) !== bytes.readUInt32BE(CRC_AT))
        throw new Damage('a batch does not match its checksum');
      if (indexed === undefined) report('a batch is not in the index');
      else if (indexed.bytes !== bytes.length) throw new Damage('a batch is in the place of another');
      visitor?.batch(
        key,
        bytes,
        indexed ?? {
          nextOffset: header.nextOffset,
          maxTimestamp: header.maxTimestamp,
          appendedAt: systemClock.now(),
          bytes: bytes.length,
        },
      );
      seen.add(name);
      index.delete(name);
    } catch (error) {
      report(reasonOf(error));
      if (indexed === undefined) lose(key, offsetOfKey(key));
    }
  }
  // The entries still in the index have no sound batch.
  for (const { key, entry } of index.values()) {
    if (topics.size > 0 && !topics.has(topicIdOfKey(key))) continue;
    lose(key, entry.nextOffset - 1);
  }
}

const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex');

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
