import { MillraceError, StoreError } from '../../errors.ts';
import { closed } from '../local/errors.ts';
import { transactionBegins } from './exit-guard.ts';
import { type Databases, lastTransactionOf, onFailedBegin } from './lmdb.ts';
import type { EmbeddedMachine } from './machine.ts';
import type { WriteGate } from './write-gate.ts';

/** One of the writes that share a transaction. */
interface Write<T> {
  /** Checks first and throws before anything is written, then writes. Runs inside the transaction. */
  readonly run: () => T;
  /** Roughly how many bytes it will write; 0 for a write that frees space, which is always tried. */
  readonly bytes: number;
  readonly done: (result: T) => void;
  readonly failed: (error: unknown) => void;
}

export interface WriterOptions {
  readonly file: string;
  /** Keeps transactions apart from processes that open the file. */
  readonly gate: Pick<WriteGate, 'enter' | 'leave' | 'waitingFor'>;
  readonly machine: Pick<EmbeddedMachine, 'clock' | 'freeBytes'>;
  /** Reopens the file after LMDB has refused to continue with it. */
  readonly reopen: () => Promise<void>;
  /** Bound on the size of the data file in bytes. */
  readonly maxBytes: number;
  /** Called inside the transaction after the writes of a group. */
  readonly beforeCommit: () => void;
  /** Called when a transaction has become visible, or has failed. */
  readonly afterCommit: (committed: boolean) => void;
}

/** Upper bound on the bytes in one transaction, so that a commit stays short. */
const GROUP_BYTES = 8 * 1024 * 1024;
/** Space that copied tree pages and the free list may need in addition to the data. */
const OVERHEAD_BYTES = 256 * 1024;
const CHECK_BELOW = 64 * 1024 * 1024;
const PAGE = 4096;
/** A write takes this long only if another process blocks the folder. */
const SLOW_MS = 1000;
/** How many times to try a transaction that LMDB does not even begin. */
const ATTEMPTS = 3;

/**
 * The only writer of the file. Writes that arrive during a transaction share the next one. A commit is on disk when
 * LMDB reports it as done, so a transaction is either acknowledged as a whole or never existed.
 */
export class Writer {
  readonly #db: Databases;
  readonly #options: WriterOptions;
  #queue: Write<unknown>[] = [];
  #running: Promise<void> | undefined;
  #waitingSince: number | undefined;
  #closed = false;
  /** A transaction has failed in LMDB, which may refuse all later ones. */
  #doubtful = false;
  /** Set when the file is not as this process left it; nothing more is written after that. */
  #broken: StoreError | undefined;
  /** The latest transaction that this process has seen in the file. */
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

  /** How long the current transaction has been waiting to begin, in milliseconds. */
  waitingMs(): number {
    return this.#waitingSince === undefined ? 0 : this.#options.machine.clock.monotonic() - this.#waitingSince;
  }

  /** Describes what the current transaction is waiting for; `undefined` if it is not waiting. */
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
    // Collects all writes of this turn of the event loop into one transaction.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      let bytes = 0;
      let count = 0;
      while (count < this.#queue.length && (count === 0 || bytes < GROUP_BYTES)) bytes += this.#queue[count++]!.bytes;
      await this.#transaction(this.#queue.splice(0, count), bytes);
    }
    // In the same turn as the last check of the queue, so that the next write starts a new drain.
    this.#running = undefined;
  }

  async #transaction(writes: readonly Write<unknown>[], bytes: number): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(writes, bytes);
      if (outcome === undefined) return;
      // LMDB refused to begin the transaction because of an earlier failure, so it is safe to retry.
      if (outcome.begun || attempt === ATTEMPTS) {
        for (const write of writes) write.failed(outcome.error);
        return;
      }
    }
  }

  /** @returns The failure; `undefined` if every write has been settled. */
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
        // Reopens now, because LMDB may refuse reads as well. If that fails, the next transaction tries again.
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
    const ended = transactionBegins();
    try {
      const transaction = this.#db.root.childTransaction(() => {
        this.#begun = true;
        this.#waitingSince = undefined;
        this.#guard();
        run();
      });
      await Promise.race([transaction, neverBegun]);
    } finally {
      ended();
    }
  }

  /**
   * Runs inside the transaction, before anything is written. Checks that it builds on the last transaction, which in
   * turn must include everything seen so far. This holds unless a process that ignores the gate has opened the file.
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

  /** Refuses a write before LMDB has to, because a failed commit costs more. */
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

  /** Bytes of unused pages inside the file. */
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
    // LMDB reports a short write as "input/output error". The cause is usually a full disk, a quota or a file size
    // limit.
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

/** The reason for a failed commit comes as a promise on the error, and its rejection must be handled. */
async function rootCause(error: unknown): Promise<object> {
  try {
    await (error as { readonly commitError?: Promise<unknown> }).commitError;
    return error as object;
  } catch (reason) {
    return reason as object;
  }
}
