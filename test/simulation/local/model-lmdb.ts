import type * as Lmdb from 'lmdb';
import type { Random } from '../random.ts';
import type { Host, World } from '../world.ts';
import { Draft, type ModelFile, type State } from './model-file.ts';
import { type Bounds, Tree } from './tree.ts';

/** What LMDB's writer tells. */
const READY = 2;
/** LMDB sees a commit of another process at the latest so long after it began to read, in ms. */
const SNAPSHOT_MS = 3;

interface Options {
  readonly noSync?: boolean;
  readonly overlappingSync?: boolean;
}

/** As much of lmdb-js as the embedded log asks for, of one process, on a file in memory. Its transactions take virtual time. */
export class ModelLmdb {
  readonly #file: ModelFile;
  readonly #host: Host;
  readonly #world: World;
  readonly #random: Random;

  constructor(file: ModelFile, host: Host, world: World, random: Random) {
    this.#file = file;
    this.#host = host;
    this.#world = world;
    this.#random = random;
  }

  /** Stands for the package. */
  get package(): Pick<typeof Lmdb, 'open'> {
    const open = (_: string, options: Options): ModelRoot =>
      new ModelRoot(this.#file, this.#host, this.#world, this.#random, options);
    return { open: open as unknown as typeof Lmdb.open };
  }
}

class ModelRoot {
  readonly env: {
    address: number;
    startWriting: (address: number, told: (status: number) => unknown) => void;
    resumeWriting: () => void;
    info: () => { readonly lastTxnId: number };
    close: () => void;
  };
  readonly #file: ModelFile;
  readonly #host: Host;
  readonly #world: World;
  readonly #random: Random;
  readonly #options: Options;
  #draft: Draft | undefined;
  #snapshot: State | undefined;
  /** What was read last: the next read overwrites it. */
  #shared = Buffer.alloc(4096);

  constructor(file: ModelFile, host: Host, world: World, random: Random, options: Options) {
    this.#file = file;
    this.#host = host;
    this.#world = world;
    this.#random = random;
    this.#options = options;
    this.env = {
      address: 1,
      startWriting: (_, told) => void told(this.#refused() ? this.#file.disk.failure : READY),
      resumeWriting: () => this.#file.leave(this.#host),
      info: () => ({ lastTxnId: this.#file.visible.transaction }),
      close: () => undefined,
    };
  }

  openDB(name: string): object {
    return {
      getBinary: (key: Uint8Array) => {
        const value = this.#tree(name).get(key);
        return value && Buffer.from(value);
      },
      getBinaryFast: (key: Uint8Array) => {
        const value = this.#tree(name).get(key);
        return value && this.#read(value);
      },
      getRange: (bounds: Bounds) => this.#range(name, bounds),
      getKeys: (bounds: Bounds) => this.#keys(name, bounds),
      putSync: (key: Uint8Array, value: Uint8Array) => this.#writable().change(name).put(key, value),
      removeSync: (key: Uint8Array) => this.#writable().change(name).remove(key),
      getStats: () => pages(this.#tree(name)),
    };
  }

  getStats(): object {
    const trees = [...this.#file.visible.trees.values()].map(pages);
    const used = trees.reduce((sum, { treeLeafPageCount }) => sum + treeLeafPageCount, 2);
    return { ...pages(new Tree()), lastPageNumber: used, free: pages(new Tree()) };
  }

  getWriteTxnId(): number {
    return this.#file.visible.transaction + 1;
  }

  resetReadTxn(): void {
    this.#snapshot = undefined;
  }

  childTransaction<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#file.enter(this.#host, () =>
        this.env.startWriting(this.env.address, (status) => {
          if (status === READY) this.#transaction(run, resolve, reject);
          return undefined;
        }),
      );
    });
  }

  /** As LMDB does: into a buffer that is used again, with a length that is only said to be that of the value. */
  #read(value: Uint8Array): Buffer {
    if (this.#shared.byteLength < value.length) this.#shared = Buffer.alloc(2 * value.length);
    this.#shared.set(value);
    return Object.defineProperty(this.#shared, 'length', { value: value.length, configurable: true });
  }

  close(): Promise<void> {
    this.env.address = 0;
    return Promise.resolve();
  }

  #transaction<T>(run: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): void {
    const file = this.#file;
    const draft = new Draft(file.visible);
    this.#draft = draft;
    let value: T;
    try {
      value = run();
    } catch (error) {
      file.leave(this.#host);
      return reject(error);
    } finally {
      this.#draft = undefined;
    }
    if (file.chance(file.disk.failing)) {
      file.count('failed commits');
      this.#world.at(this.#host, this.#world.now + this.#random.next() * file.disk.commitMs, 'no commit', () => {
        file.leave(this.#host);
        const commitError = Promise.reject(Object.assign(new Error('the disk fails'), { code: file.disk.failure }));
        commitError.catch(() => undefined);
        reject(Object.assign(new Error('Commit failed (see commitError for details)'), { commitError }));
      });
      return;
    }
    const { noSync, overlappingSync } = this.#options;
    const flushes = noSync === true ? 'never' : overlappingSync === true ? 'after' : 'before';
    file.commit(this.#host, draft.state, flushes, () => {
      this.#snapshot = undefined;
      resolve(value);
    });
  }

  #refused(): boolean {
    if (!this.#file.chance(this.#file.disk.refusing)) return false;
    this.#file.count('transactions that did not begin');
    return true;
  }

  #writable(): Draft {
    if (this.#draft === undefined) throw new Error('a write outside of a transaction');
    return this.#draft;
  }

  #tree(name: string): Tree {
    if (this.#draft !== undefined) return this.#draft.tree(name);
    if (this.#snapshot === undefined) {
      this.#snapshot = this.#file.visible;
      this.#world.at(this.#host, this.#world.now + this.#random.next() * SNAPSHOT_MS, 'snapshot', () =>
        this.resetReadTxn(),
      );
    }
    return this.#snapshot.trees.get(name) ?? new Tree();
  }

  /** As it is now: whoever reads may remove what it is at. */
  *#range(name: string, bounds: Bounds): Generator<{ key: Buffer; value: Buffer }> {
    yield* Array.from(this.#tree(name).entries(bounds));
  }

  *#keys(name: string, bounds: Bounds): Generator<Buffer> {
    for (const { key } of Array.from(this.#tree(name).entries(bounds))) yield key;
  }
}

/** About as many pages as LMDB would take. */
function pages({ values }: Tree): {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
} {
  return { treeBranchPageCount: 0, treeLeafPageCount: Math.ceil(values.length / 16), overflowPages: 0 };
}
