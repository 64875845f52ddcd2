import { statfsSync } from 'node:fs';
import type { Durability } from '../../durability.ts';
import { MillraceError, StoreError } from '../../errors.ts';
import { closed } from '../local/errors.ts';
import { type Databases, flushToDisk } from './lmdb.ts';

/** Something to write, together with others, in one transaction. */
interface Write<T> {
  /** Checks first and throws before anything is written, then writes. Runs inside the transaction. */
  readonly run: () => T;
  /** How many bytes it will write, about; 0 for what frees space, which is tried in any case. */
  readonly bytes: number;
  readonly done: (result: T) => void;
  readonly failed: (error: unknown) => void;
}

export interface WriterOptions {
  readonly file: string;
  readonly durability: Durability;
  /** Bound on the size of the data file in bytes. */
  readonly maxBytes: number;
  /** Called inside the transaction when the writes of a group are done. */
  readonly beforeCommit: () => void;
  /** Called when a transaction has become visible, or has failed. */
  readonly afterCommit: (committed: boolean) => void;
}

/** The most bytes that go into one transaction, so that a commit stays short. */
const GROUP_BYTES = 8 * 1024 * 1024;
/** Room that copied tree pages and the free list may need beside the data. */
const OVERHEAD_BYTES = 256 * 1024;
const CHECK_BELOW = 64 * 1024 * 1024;
const PAGE = 4096;

/**
 * The one place that writes. Writes that arrive while a transaction is under way share the next one; the next one begins
 * when the current one is visible, while that one is still on its way to the disk.
 */
export class Writer {
  readonly #db: Databases;
  readonly #options: WriterOptions;
  #queue: Write<unknown>[] = [];
  #running: Promise<void> | undefined;
  #waitingSince: number | undefined;
  #closed = false;
  #failed = false;
  /** Set when a flush has failed: what the disk holds is unknown then, so nothing more is written. */
  #broken: StoreError | undefined;
  #flushing: Promise<void> | undefined;
  #nextFlush: Promise<void> | undefined;

  constructor(db: Databases, options: WriterOptions) {
    this.#db = db;
    this.#options = options;
  }

  /** Runs a write in a transaction and resolves when it is durable. */
  write<T>(bytes: number, run: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closed('embedded log'));
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise<T>((done, failed) => {
      this.#queue.push({ run, bytes, done: done as (result: unknown) => void, failed });
      this.#running ??= this.#drain();
    });
  }

  /** For how long the current transaction has been waiting to begin, in milliseconds. */
  waitingMs(): number {
    return this.#waitingSince === undefined ? 0 : performance.now() - this.#waitingSince;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
    await Promise.allSettled([this.#flushing, this.#nextFlush]);
    // LMDB waits for ever for the flush of a commit that has failed, unless a transaction comes after it.
    if (this.#failed) await this.#db.root.transaction(() => undefined).catch(() => undefined);
  }

  async #drain(): Promise<void> {
    // Everything that is written in this turn of the event loop goes together.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < this.#queue.length && (count === 0 || bytes < GROUP_BYTES)) bytes += this.#queue[count++]!.bytes;
      await this.#transaction(this.#queue.splice(0, count), bytes);
    }
    // In the same step as the last look at the queue, so that a write that comes next starts a new round.
    this.#running = undefined;
  }

  async #transaction(writes: readonly Write<unknown>[], bytes: number): Promise<void> {
    const results: { readonly write: Write<unknown>; readonly value: unknown }[] = [];
    const refused: { readonly write: Write<unknown>; readonly error: MillraceError }[] = [];
    try {
      this.#checkSpace(bytes);
      this.#waitingSince = performance.now();
      // A child transaction, so that a failure in the middle leaves nothing behind.
      await this.#db.root.childTransaction(() => {
        this.#waitingSince = undefined;
        for (const write of writes) {
          try {
            results.push({ write, value: write.run() });
          } catch (error) {
            if (!(error instanceof MillraceError)) throw error;
            refused.push({ write, error });
          }
        }
        this.#options.beforeCommit();
      });
    } catch (error) {
      this.#waitingSince = undefined;
      this.#failed ||= !(error instanceof MillraceError);
      this.#options.afterCommit(false);
      const failure = await this.#failure(error);
      for (const write of writes) write.failed(failure);
      return;
    }
    this.#options.afterCommit(results.length > 0);
    for (const { write, error } of refused) write.failed(error);
    if (results.length === 0) return;
    const finish = (): void => {
      for (const { write, value } of results) write.done(value);
    };
    if (this.#options.durability !== 'fsync') finish();
    else {
      this.#flush().then(finish, (error: unknown) => {
        for (const { write } of results) write.failed(error);
      });
    }
  }

  /** A flush that begins after this call; at most one is under way and one waiting. */
  #flush(): Promise<void> {
    if (this.#flushing === undefined) {
      this.#flushing = this.#flushNow().finally(() => (this.#flushing = undefined));
      return this.#flushing;
    }
    this.#nextFlush ??= this.#flushing
      .catch(() => undefined)
      .then(() => {
        this.#nextFlush = undefined;
        return this.#flush();
      });
    return this.#nextFlush;
  }

  async #flushNow(): Promise<void> {
    try {
      await flushToDisk(this.#db);
    } catch (cause) {
      this.#broken = new StoreError('ERR_STORE_WRITE', `Flushing ${this.#options.file} failed: ${text(cause)}`, {
        cause,
        written: 'unknown',
        hint: 'the disk may be failing; check it, then start again: what was acknowledged is there',
      });
      throw this.#broken;
    }
  }

  /** Refuses before LMDB has to, because a failed commit costs more than a refused one. */
  #checkSpace(bytes: number): void {
    if (bytes === 0) return;
    const { file, maxBytes } = this.#options;
    const needed = bytes + OVERHEAD_BYTES;
    if (maxBytes !== Number.POSITIVE_INFINITY && this.#fileBytes() + needed > maxBytes && this.#reusable() < needed) {
      throw this.#diskFull(`the limit of ${maxBytes} bytes is reached`);
    }
    const { bavail, bsize } = statfsSync(file);
    const available = bavail * bsize;
    if (available < CHECK_BELOW && available < needed && this.#reusable() < needed) {
      throw this.#diskFull(`${available} bytes are left on the disk, and about ${needed} are needed`);
    }
  }

  #fileBytes(): number {
    const stats = this.#db.root.getStats() as { readonly lastPageNumber: number };
    return (stats.lastPageNumber + 1) * PAGE;
  }

  /** Bytes of pages inside the file that nothing uses any more. */
  #reusable(): number {
    const { root, meta, index, log, state } = this.#db;
    const stats = root.getStats() as { readonly lastPageNumber: number; readonly free: TreeStats };
    const trees = [root, meta, index, log, state].map((db) => db.getStats() as TreeStats);
    let used = 2;
    for (const tree of [...trees, stats.free]) {
      used += tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages;
    }
    return Math.max(0, stats.lastPageNumber + 1 - used) * PAGE;
  }

  #diskFull(reason: string, cause?: unknown): StoreError {
    return new StoreError('ERR_DISK_FULL', `Cannot write to ${this.#options.file}: ${reason}`, {
      written: 'no',
      hint: 'free space on the disk, shorten retention or delete topics; what was acknowledged is safe, and writing works again then',
      ...(cause === undefined ? {} : { cause }),
    });
  }

  async #failure(error: unknown): Promise<MillraceError> {
    if (error instanceof MillraceError) return error;
    const cause = await rootCause(error);
    const code = (cause as { readonly code?: unknown }).code;
    const reason = text(cause);
    if (code === 28 || code === 122 || code === 27 || /no space|quota|MAP_FULL|too large/i.test(reason)) {
      return this.#diskFull(reason, cause);
    }
    // A short write reports "input/output error" and is a full disk, a quota or a file size limit far more often.
    if (code === 5) return this.#diskFull('the system wrote less than it was given', cause);
    return new StoreError('ERR_STORE_WRITE', `Cannot write to ${this.#options.file}: ${reason}`, {
      cause,
      written: 'no',
      hint: 'nothing of this transaction was written; check the disk and the permissions',
    });
  }
}

interface TreeStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The reason of a failed commit comes as a promise beside the error, which must not be left unhandled. */
async function rootCause(error: unknown): Promise<object> {
  try {
    await (error as { readonly commitError?: Promise<unknown> }).commitError;
    return error as object;
  } catch (reason) {
    return reason as object;
  }
}
