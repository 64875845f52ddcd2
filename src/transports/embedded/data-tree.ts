import { compareBytes } from '../../state/key-codec.ts';
import { Damage, type DataFile, databaseAt, number64, type Tree } from './data-file.ts';

/** An entry of a tree in the file. */
export interface TreeEntry {
  readonly key: Uint8Array;
  /** Set for an entry that describes a named database. */
  readonly tree: Tree | undefined;
  /** Reads the value. @throws Damage */
  value(): Buffer;
}

const HEADER = 24;
const NODE_HEADER = 8;
const BRANCH = 1;
const LEAF = 2;
const OVERFLOW = 4;
const BIG = 1;
const SUB = 2;

/** Between which keys those of a page lie: from the first one up to but without the second one. */
interface Between {
  readonly from: Uint8Array | undefined;
  readonly to: Uint8Array | undefined;
}

const ANYWHERE: Between = { from: undefined, to: undefined };

/**
 * Walks a tree in key order. An unreadable node is reported and skipped, with everything below it. Entries that are not
 * where LMDB would look for them are reported too, but delivered.
 *
 * @param order - Whether keys are in the order of their bytes, or in another one that is not checked.
 * @param visited - Page numbers seen so far; a page that occurs twice is damage.
 * @param damaged - Called for each damaged place.
 */
export function* walkTree(
  file: DataFile,
  tree: Tree,
  order: 'bytes' | 'other',
  visited: Set<number>,
  damaged: (reason: string) => void,
): Generator<TreeEntry> {
  if (tree.root !== undefined) {
    yield* walkPage(file, tree.root, tree.depth, order === 'bytes' ? ANYWHERE : undefined, visited, damaged);
  }
}

function* walkPage(
  file: DataFile,
  number: number,
  depth: number,
  between: Between | undefined,
  visited: Set<number>,
  damaged: (reason: string) => void,
): Generator<TreeEntry> {
  let page: Buffer;
  let nodes: number[];
  let kind: number;
  try {
    if (visited.has(number)) throw new Damage('it belongs to two places');
    visited.add(number);
    if (depth < 1) throw new Damage('the tree is deeper than it should be');
    page = file.read(number * file.pageSize, file.pageSize);
    kind = page.readUInt16LE(18) & (BRANCH | LEAF | OVERFLOW);
    if (number64(page, 0) !== number) throw new Damage('it has another number');
    if (kind !== (depth === 1 ? LEAF : BRANCH)) throw new Damage('it is of the wrong kind');
    nodes = nodesOf(page);
  } catch (error) {
    damaged(`page ${number}: ${reasonOf(error)}`);
    return;
  }
  if (between !== undefined && !isOrdered(page, nodes, kind === BRANCH ? 1 : 0, between)) {
    damaged(`page ${number}: its keys are not where they should be`);
  }
  for (const [at, node] of nodes.entries()) {
    if (kind === BRANCH) {
      const child =
        page.readUInt16LE(node) + page.readUInt16LE(node + 2) * 65_536 + page.readUInt16LE(node + 4) * 2 ** 32;
      const below = between && {
        // The first key of a branch says nothing.
        from: at === 0 ? between.from : keyAt(page, node),
        to: at === nodes.length - 1 ? between.to : keyAt(page, nodes[at + 1]!),
      };
      yield* walkPage(file, child, depth - 1, below, visited, damaged);
      continue;
    }
    try {
      yield leafEntry(file, page, node, visited);
    } catch (error) {
      damaged(`page ${number}: ${reasonOf(error)}`);
    }
  }
}

const keyAt = (page: Buffer, node: number): Uint8Array =>
  page.subarray(node + NODE_HEADER, node + NODE_HEADER + page.readUInt16LE(node + 6));

/** Whether the keys of a page from one on ascend, between the given ones. A search misses what is elsewhere. */
function isOrdered(page: Buffer, nodes: readonly number[], first: number, { from, to }: Between): boolean {
  let before: Uint8Array | undefined;
  for (let at = first; at < nodes.length; at++) {
    const key = keyAt(page, nodes[at]!);
    if (before === undefined ? from !== undefined && compareBytes(key, from) < 0 : compareBytes(key, before) <= 0) {
      return false;
    }
    before = key;
  }
  return before === undefined || to === undefined || compareBytes(before, to) < 0;
}

/** Positions of the nodes of a page, checked to start inside it. */
function nodesOf(page: Buffer): number[] {
  const lower = page.readUInt16LE(20);
  const upper = page.readUInt16LE(22);
  const room = page.length - HEADER;
  if (lower > upper || upper > room || (lower & 1) !== 0) throw new Damage('its free space is not inside it');
  const nodes: number[] = [];
  for (let i = 0; i < lower; i += 2) {
    const node = HEADER + page.readUInt16LE(HEADER + i);
    if (node < HEADER + upper || node + NODE_HEADER > page.length) throw new Damage('an entry lies outside of it');
    if (node + NODE_HEADER + page.readUInt16LE(node + 6) > page.length) throw new Damage('a key does not fit');
    nodes.push(node);
  }
  return nodes;
}

function leafEntry(file: DataFile, page: Buffer, node: number, visited: Set<number>): TreeEntry {
  const size = page.readUInt32LE(node);
  const flags = page.readUInt16LE(node + 4);
  const keyStart = node + NODE_HEADER;
  const dataStart = keyStart + page.readUInt16LE(node + 6);
  const key = Uint8Array.from(page.subarray(keyStart, dataStart));
  const inline = (flags & BIG) !== 0 ? 8 : size;
  if (dataStart + inline > page.length) throw new Damage('a value does not fit');
  if ((flags & BIG) === 0) {
    if ((flags & SUB) !== 0 && size < 48) throw new Damage('a database has no description');
    const tree = (flags & SUB) === 0 ? undefined : databaseAt(page, dataStart);
    return { key, tree, value: () => page.subarray(dataStart, dataStart + size) };
  }
  const first = number64(page, dataStart);
  if (visited.has(first)) throw new Damage(`page ${first} belongs to two places`);
  visited.add(first);
  const position = first * file.pageSize;
  const header = file.read(position, HEADER);
  if (number64(header, 0) !== first || (header.readUInt16LE(18) & OVERFLOW) === 0) {
    throw new Damage(`page ${first} does not hold the value that it should`);
  }
  const pages = Math.ceil((HEADER + size) / file.pageSize);
  if (header.readUInt32LE(20) < pages || (first + pages) * file.pageSize > file.size) {
    throw new Damage(`the value on page ${first} is not complete`);
  }
  return { key, tree: undefined, value: () => file.read(position + HEADER, size) };
}

const reasonOf = (error: unknown): string => {
  if (error instanceof Damage || error instanceof RangeError) return error.message;
  throw error;
};

/** Walks the list of free pages, none of which may be in use. Call it after everything else has been walked. */
export function checkFreePages(file: DataFile, visited: ReadonlySet<number>, damaged: (reason: string) => void): void {
  const own = new Set<number>();
  for (const { value } of walkTree(file, file.meta.freeTree, 'other', own, damaged)) {
    try {
      const list = value();
      const count = number64(list, 0);
      if ((count + 1) * 8 > list.length) throw new Damage('the list of free pages is cut off');
      for (let i = 1; i <= count; i++) {
        // Negative numbers are lengths of runs; zeros are used-up entries.
        const page = Number(list.readBigInt64LE(i * 8));
        if (Math.abs(page) > file.meta.lastPage || page === 1) throw new Damage(`page ${page} is listed as free`);
        if (page > 0 && (visited.has(page) || own.has(page)))
          throw new Damage(`page ${page} is in use and listed as free`);
      }
    } catch (error) {
      damaged(reasonOf(error));
    }
  }
}
