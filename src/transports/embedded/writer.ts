import { MillraceError, StoreError } from '../../errors.ts';
import { closed } from '../local/errors.ts';
import { type Databases, lastTransactionOf, onFailedBegin } from './lmdb.ts';
import type { EmbeddedMachine } from './machine.ts';
import type { WriteGate } from './write-gate.ts';

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
  /** Keeps transactions away from processes that open the file. */
  readonly gate: Pick<WriteGate, 'enter' | 'leave' | 'waitingFor'>;
  readonly machine: Pick<EmbeddedMachine, 'clock' | 'freeBytes'>;
  /** Reopens the file, when LMDB will not go on with it. */
  readonly reopen: () => Promise<void>;
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
/** Writing takes this long only when another process holds the folder up. */
const SLOW_MS = 1000;
/** How often a transaction is tried that LMDB does not even begin. */
const ATTEMPTS = 3;

/**
 * The one place that writes. Writes that arrive while a transaction is under way share the next one. A commit is on the disk
 * when LMDB says that it is done, so a transaction is either acknowledged as a whole or was never there.
 */
export class Writer {
  readonly #db: Databases;
  readonly #options: WriterOptions;
  #queue: Write<unknown>[] = [];
  #running: Promise<void> | undefined;
  #waitingSince: number | undefined;
  #closed = false;
  /** A transaction has failed in LMDB, which may refuse all that come after it. */
  #doubtful = false;
  /** Set when the file is not what this process has left: nothing more is written then. */
  #broken: StoreError | undefined;
  /** The newest transaction that this process has seen in the file. */
  #seen = 0;
  #begun = false;
  #beginFailed: ((status: number) => void) | undefined;

  constructor(db: Databases, options: WriterOptions) {
    this.#db = db;
    this.#options = options;
    this.#watch();
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
    return this.#waitingSince === undefined ? 0 : this.#options.machine.clock.monotonic() - this.#waitingSince;
  }

  /** What the current transaction is waiting for, in words; `undefined` when it does not wait. */
  waitingFor(): string | undefined {
    const opener = this.#options.gate.waitingFor();
    if (opener !== undefined) return opener;
    return this.waitingMs() > SLOW_MS ? 'another process to finish its write to the folder' : undefined;
  }

  /** Whether LMDB may wait forever when it is asked to close. */
  get doubtful(): boolean {
    return this.#doubtful;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
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
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(writes, bytes);
      if (outcome === undefined) return;
      // LMDB has refused the transaction before anything of it was there, because of an earlier one.
      if (outcome.begun || attempt === ATTEMPTS) {
        for (const write of writes) write.failed(outcome.error);
        return;
      }
    }
  }

  /** @returns what has gone wrong; `undefined` when every write has been told how it ended. */
  async #attempt(
    writes: readonly Write<unknown>[],
    bytes: number,
  ): Promise<{ readonly error: MillraceError; readonly begun: boolean } | undefined> {
    const results: { readonly write: Write<unknown>; readonly value: unknown }[] = [];
    const refused: { readonly write: Write<unknown>; readonly error: MillraceError }[] = [];
    const { gate } = this.#options;
    try {
      if (this.#broken !== undefined) throw this.#broken;
      this.#checkSpace(bytes);
      if (this.#doubtful) await this.#reopen();
      const waiting = gate.enter();
      if (waiting !== undefined) await waiting;
      this.#waitingSince = this.#options.machine.clock.monotonic();
      await this.#begin(() => {
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
      this.#seen = Math.max(this.#seen, lastTransactionOf(this.#db));
    } catch (error) {
      this.#options.afterCommit(false);
      const failure = await this.#failure(error);
      if (!(error instanceof MillraceError)) {
        this.#doubtful = true;
        gate.leave();
        // At once, because LMDB may refuse to read as well. Where it does not work, the next transaction tries again.
        await this.#reopen().catch(() => undefined);
      }
      return { error: failure, begun: !(error instanceof BeginError) };
    } finally {
      this.#waitingSince = undefined;
      gate.leave();
    }
    this.#options.afterCommit(results.length > 0);
    for (const { write, error } of refused) write.failed(error);
    for (const { write, value } of results) write.done(value);
    return undefined;
  }

  /** A child transaction, so that a failure in the middle leaves nothing behind. */
  async #begin(run: () => void): Promise<void> {
    this.#begun = false;
    const neverBegun = new Promise<never>((_, reject) => {
      this.#beginFailed = (status) => reject(new BeginError(status));
    });
    const transaction = this.#db.root.childTransaction(() => {
      this.#begun = true;
      this.#waitingSince = undefined;
      this.#guard();
      run();
    });
    await Promise.race([transaction, neverBegun]);
  }

  /**
   * Inside the transaction, before anything is written: it must stand on the last one, and that on all that was seen before.
   * It does unless somebody has opened the file who does not keep to the gate.
   */
  #guard(): void {
    const last = lastTransactionOf(this.#db);
    const base = this.#db.root.getWriteTxnId() - 1;
    if (base === last && last >= this.#seen) return;
    const what =
      last < this.#seen
        ? `transaction ${this.#seen} was in it and is gone, the last one is ${last}`
        : `the next transaction would replace ${last}, because LMDB takes ${base} for the last one`;
    this.#broken = new StoreError('ERR_STORE_FOREIGN', `${this.#options.file} was opened by another program: ${what}`, {
      written: 'no',
      hint: 'stop all processes that use the folder, including LMDB tools and older versions of millrace, then start again',
    });
    throw this.#broken;
  }

  async #reopen(): Promise<void> {
    await this.#options.reopen();
    this.#doubtful = false;
    this.#watch();
  }

  #watch(): void {
    onFailedBegin(this.#db, (status) => {
      if (this.#begun) return false;
      this.#beginFailed?.(status);
      return true;
    });
  }

  /** Refuses before LMDB has to, because a failed commit costs more than a refused one. */
  #checkSpace(bytes: number): void {
    if (bytes === 0) return;
    const { file, machine, maxBytes } = this.#options;
    const needed = bytes + OVERHEAD_BYTES;
    if (maxBytes !== Number.POSITIVE_INFINITY && this.#fileBytes() + needed > maxBytes && this.#reusable() < needed) {
      throw this.#diskFull(`the limit of ${maxBytes} bytes is reached`);
    }
    const available = machine.freeBytes(file);
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
      hint: 'free space on the disk, shorten retention or delete topics; acknowledged records are safe, and writing then works again',
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

/** LMDB did not begin a transaction. */
class BeginError extends Error {
  override readonly name = 'BeginError';
  readonly code: number;

  constructor(code: number) {
    super(`LMDB cannot begin a transaction (${code})`);
    this.code = code;
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
