import { join } from 'node:path';
import { peekBatchHeader } from '../../protocol/batch-decoder.ts';
import { crc32c } from '../../protocol/crc32c.ts';
import type { StoredTopic } from './catalog.ts';
import { Damage, DataFile, type Tree } from './data-file.ts';
import { checkFreePages, type TreeEntry, walkTree } from './data-tree.ts';
import { metaKey, offsetOfKey, partitionOfKey, RECORD_KEY_BYTES, topicIdOfKey } from './keys.ts';
import { DATA_FILE } from './lmdb.ts';
import { decodeIndex, type IndexEntry } from './partition-state.ts';
import { isSound } from './sealed.ts';

/** Records that cannot be read any more. @public */
export interface LostRecords {
  /** Name of the topic, or its number where the name is lost too. */
  readonly topic: string;
  readonly partition: number;
  /** First and last offset, both included. */
  readonly offset: number;
  readonly lastOffset: number;
}

/** What is in a data file. */
export interface Survey {
  /** Everything that is not as it must be, in words. Empty for a sound file. */
  readonly damage: readonly string[];
  readonly lost: readonly LostRecords[];
}

/** Called with each sound entry. Batches come with their index entry, which is made anew where it is lost. */
export interface SurveyVisitor {
  meta(key: Uint8Array, sealed: Uint8Array): void;
  state(key: Uint8Array, sealed: Uint8Array): void;
  batch(key: Uint8Array, bytes: Uint8Array, entry: IndexEntry): void;
}

const CRC_FROM = 21;
const CRC_AT = 17;

/** Checks the structure of a file: that every page is where and what it must be. Reads no values. */
export function checkStructure(folder: string, maxPages: number): readonly string[] {
  const damage: string[] = [];
  try {
    const file = new DataFile(join(folder, DATA_FILE));
    try {
      const visited = new Set<number>();
      const report = (reason: string): void => void damage.push(reason);
      const walk = (tree: Tree): void => {
        for (const entry of walkTree(file, tree, visited, report)) {
          if (entry.tree !== undefined) walk(entry.tree);
          if (visited.size > maxPages || damage.length > 0) return;
        }
      };
      walk(file.meta.mainTree);
      if (visited.size <= maxPages && damage.length === 0) checkFreePages(file, visited, report);
    } finally {
      file.close();
    }
  } catch (error) {
    damage.push(reasonOf(error));
  }
  return damage;
}

/** Reads everything in a folder's file, compares all checksums, and shows what is sound to a visitor. */
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
    for (const { key, tree } of walkTree(file, file.meta.mainTree, visited, report)) {
      if (tree !== undefined) trees.set(Buffer.from(key).toString('latin1').replace(/\0$/, ''), tree);
    }
    const entries = (name: string): Iterable<TreeEntry> => {
      const tree = trees.get(name);
      if (tree !== undefined) return walkTree(file, tree, visited, report);
      report(`the database "${name}" is missing`);
      return [];
    };
    const names = surveyMeta(entries('meta'), report, visitor);
    surveyRecords(entries('index'), entries('log'), names, lost, report, visitor);
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
): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const topicPrefix = Buffer.from(metaKey('topic', ''));
  surveySealed(entries, 'an entry of the catalog', report, (key, sealed) => {
    visitor?.meta(key, sealed);
    if (!Buffer.from(key).subarray(0, topicPrefix.length).equals(topicPrefix)) return;
    const topic = JSON.parse(Buffer.from(sealed.subarray(4)).toString()) as StoredTopic;
    names.set(topic.id, topic.name);
  });
  return names;
}

function surveyRecords(
  indexEntries: Iterable<TreeEntry>,
  logEntries: Iterable<TreeEntry>,
  names: ReadonlyMap<number, string>,
  lost: LostRecords[],
  report: (reason: string) => void,
  visitor?: SurveyVisitor,
): void {
  const index = new Map<string, { readonly key: Uint8Array; readonly entry: IndexEntry }>();
  surveySealed(indexEntries, 'an entry of the index', report, (key, sealed) => {
    if (key.length === RECORD_KEY_BYTES) index.set(hex(key), { key, entry: decodeIndex(sealed.subarray(4)) });
  });
  const lose = (key: Uint8Array, lastOffset: number): void => {
    const id = topicIdOfKey(key);
    const topic = names.get(id) ?? `#${id}`;
    lost.push({ topic, partition: partitionOfKey(key), offset: offsetOfKey(key), lastOffset });
  };
  for (const { key, value } of logEntries) {
    if (key.length !== RECORD_KEY_BYTES) {
      report('a batch has an impossible key');
      continue;
    }
    const indexed = index.get(hex(key))?.entry;
    try {
      const bytes = value();
      const header = peekBatchHeader(bytes, 0);
      if (header === undefined || header.byteLength !== bytes.length) throw new Damage('a batch is cut off');
      if (header.baseOffset !== offsetOfKey(key)) throw new Damage('a batch is in the wrong place');
      if (crc32c(bytes, CRC_FROM) !== bytes.readUInt32BE(CRC_AT))
        throw new Damage('a batch does not match its checksum');
      if (indexed === undefined) report('a batch is not in the index');
      visitor?.batch(
        key,
        bytes,
        indexed ?? {
          nextOffset: header.nextOffset,
          maxTimestamp: header.maxTimestamp,
          appendedAt: Date.now(),
          bytes: bytes.length,
        },
      );
      index.delete(hex(key));
    } catch (error) {
      report(reasonOf(error));
      if (indexed === undefined) lose(key, offsetOfKey(key));
    }
  }
  // What is still in the index has no sound batch.
  for (const { key, entry } of index.values()) {
    if (names.size > 0 && !names.has(topicIdOfKey(key))) continue;
    lose(key, entry.nextOffset - 1);
  }
}

const hex = (key: Uint8Array): string => Buffer.from(key).toString('hex');

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
