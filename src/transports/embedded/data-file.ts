import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';

/**
 * Reads LMDB's data file without LMDB. LMDB trusts its file, and a damaged one crashes the process. This reader trusts
 * nothing, so it can inspect the file first and copy what is intact. It never writes.
 */
export class DataFile {
  readonly size: number;
  readonly pageSize: number;
  readonly meta: Meta;
  readonly #fd: number;

  /** @throws Damage if the header is not that of a data file. */
  constructor(path: string) {
    this.#fd = openSync(path, 'r');
    try {
      this.size = fstatSync(this.#fd).size;
      this.pageSize = this.#readMeta(0).pageSize;
      const metas = this.#readMetas();
      this.meta = pickMeta(metas);
      if (this.meta.lastPage * this.pageSize > this.size + MAX_UNWRITTEN) {
        throw new Damage(`its last page should be ${this.meta.lastPage}, far behind its end`);
      }
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** Bytes of the file. @throws Damage if it ends earlier. */
  read(position: number, length: number): Buffer {
    if (position < 0 || length < 0 || position + length > this.size) {
      throw new Damage(`the file ends at ${this.size}, before ${position + length}`);
    }
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const read = readSync(this.#fd, bytes, done, length - done, position + done);
      if (read === 0) throw new Damage(`the file ends at ${position + done}`);
      done += read;
    }
    return bytes;
  }

  /** A writing process may change the headers between two reads: only an error that persists is damage. */
  #readMetas(): readonly Meta[] {
    for (let before = this.#headers(), attempt = 1; ; attempt++) {
      const [first, second] = [this.#readMeta(0), this.#readMeta(this.pageSize)];
      const half = this.#tryMeta(this.pageSize >>> 1);
      const after = this.#headers();
      if (after.equals(before) || attempt === MAX_LOOKS) {
        checkPair(first, second);
        return [first, second, ...(half === undefined ? [] : [half])];
      }
      before = after;
    }
  }

  #headers(): Buffer {
    return this.read(0, this.pageSize + META_BYTES);
  }

  #tryMeta(position: number): Meta | undefined {
    try {
      return this.#readMeta(position);
    } catch (error) {
      if (error instanceof Damage) return undefined;
      throw error;
    }
  }

  #readMeta(position: number): Meta {
    const page = this.read(position, META_BYTES);
    const magic = page.readUInt32LE(24);
    if (magic !== MAGIC) throw new Damage(`it does not begin as a data file does, at ${position}`);
    const version = page.readUInt32LE(28) & 0xffff;
    if (version !== DATA_VERSION) throw new Damage(`its data version is ${version} and should be ${DATA_VERSION}`);
    const pageSize = page.readUInt32LE(48);
    if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) {
      throw new Damage(`its page size is ${pageSize}`);
    }
    if ((page.readUInt16LE(52) & TREE_FLAGS) !== INTEGER_KEYS || (page.readUInt16LE(100) & TREE_FLAGS) !== 0) {
      throw new Damage(`the header at ${position} describes trees of another kind`);
    }
    return {
      pageSize,
      flushed: (page.readUInt16LE(52) & OVERLAPPING) === 0,
      freeTree: treeAt(page, 48),
      mainTree: treeAt(page, 96),
      lastPage: number64(page, 144),
      transaction: number64(page, 152),
      bootId: page.readUInt32LE(160),
    };
  }
}

/** An inconsistency in the file. */
export class Damage extends Error {
  override readonly name = 'Damage';
}

export interface Meta {
  readonly pageSize: number;
  /** Whether everything it refers to was on disk when it was written. */
  readonly flushed: boolean;
  readonly freeTree: Tree;
  readonly mainTree: Tree;
  readonly lastPage: number;
  readonly transaction: number;
  readonly bootId: number;
}

export interface Tree {
  /** Page number of the root; `undefined` for an empty tree. */
  readonly root: number | undefined;
  readonly depth: number;
}

const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const META_BYTES = 168;
/** Far more reads than a writing process can disturb in a row. */
const MAX_LOOKS = 1000;
const OVERLAPPING = 0x1000;
const TREE_FLAGS = 0x7f;
const INTEGER_KEYS = 0x08;
/** Pages at the end that were allocated and freed in one transaction are never written. */
const MAX_UNWRITTEN = 1024 * 1024 * 1024;

/** The description of a named database, which must be one of byte keys without duplicates. @throws Damage */
export function databaseAt(bytes: Buffer, position: number): Tree {
  if ((bytes.readUInt16LE(position + 4) & TREE_FLAGS) !== 0) throw new Damage('a database is of another kind');
  return treeAt(bytes, position);
}

/** Reads a tree description, as found in a meta page and in the entries of named databases. */
function treeAt(bytes: Buffer, position: number): Tree {
  const root = bytes.readBigUInt64LE(position + 40);
  return {
    root: root === 0xffff_ffff_ffff_ffffn ? undefined : Number(root),
    depth: bytes.readUInt16LE(position + 6),
  };
}

export function number64(bytes: Buffer, position: number): number {
  return Number(bytes.readBigUInt64LE(position));
}

/** Transactions write the two headers in turn: the even ones the first, the odd ones the second. */
function checkPair(first: Meta, second: Meta): void {
  const [even, odd] = [first.transaction, second.transaction];
  const fresh = even === 0 && odd <= 1;
  if (!fresh && (even % 2 !== 0 || odd % 2 !== 1 || Math.abs(even - odd) !== 1)) {
    throw new Damage(`its two headers are of transactions ${even} and ${odd}`);
  }
}

/** The state that LMDB will start with: the last one or, after a restart of the machine, the last flushed one. */
function pickMeta(metas: readonly Meta[]): Meta {
  const newest = (list: readonly Meta[]): Meta | undefined =>
    list.reduce<Meta | undefined>(
      (best, meta) => (best === undefined || meta.transaction > best.transaction ? meta : best),
      undefined,
    );
  const last = newest(metas)!;
  return last.flushed || last.bootId === currentBootId()
    ? last
    : (newest(metas.filter((meta) => meta.flushed)) ?? last);
}

function currentBootId(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8), 16);
  } catch {
    // On other systems this is unknown: assume the last state.
    return -1;
  }
}
