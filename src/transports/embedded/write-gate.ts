import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { holdingClock, pause } from '../../dataflow/clock.ts';
import { StoreError } from '../../errors.ts';
import { closed } from '../local/errors.ts';
import { nameOf, PATIENCE_MS, type Patience } from './open-lock.ts';
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts';

const OPENING = 'opening.json';
const WRITING = 1;
const IDLE = 0;
const AT_ONCE = { throwIfNoEntry: false } as const;

/** A process that may be writing: who it is, and the file in which it says so. */
export interface Marked {
  readonly who: ProcessIdentity;
  readonly mark: string;
}

/**
 * Keeps transactions and openings of the data file apart. LMDB does not: a process that opens the file writes the number
 * of the last transaction that it has read in it a moment before, without a lock, and what was committed in between is
 * overwritten by the next transaction.
 *
 * Whoever writes first says so and then looks whether somebody opens; whoever opens first says so and then waits until
 * nobody writes. So at least one of two that meet sees the other.
 */
export class WriteGate {
  readonly #opening: string;
  readonly #mark: string;
  /** `undefined` once closed: the number may be that of another file by then. */
  #fd: number | undefined;
  readonly #limitMs: number;
  /** The note of a process that died while it opened the file, so that it need not be read again for each transaction. */
  #stale: Stats | undefined;
  #waitingFor: string | undefined;

  /** @param limitMs - How long a transaction waits for a process that opens the file. */
  constructor(path: string, mark: string, limitMs: number = PATIENCE_MS) {
    this.#limitMs = limitMs;
    this.#opening = join(path, OPENING);
    this.#mark = mark;
    this.#fd = openSync(mark, 'w', 0o640);
    // It has its place on the disk from now on, so that a full one does not stop the gate from working.
    this.#say(IDLE);
  }

  /** Before a transaction. `undefined` when it may begin at once. @throws StoreError `ERR_STORE_LOCKED` */
  enter(): Promise<void> | undefined {
    this.#say(WRITING);
    return this.#opener() === undefined ? undefined : this.#wait();
  }

  /** After a transaction, once LMDB does nothing more for it. */
  leave(): void {
    this.#say(IDLE);
  }

  /** Who keeps transactions from beginning, in words. */
  waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  /** A transaction that waits no longer begins. */
  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.#mark, { force: true });
  }

  async #wait(): Promise<void> {
    const since = holdingClock.monotonic();
    try {
      for (;;) {
        if (this.#fd === undefined) throw closed('embedded log');
        this.#say(IDLE);
        const opener = this.#opener();
        if (opener !== undefined) {
          this.#waitingFor = `${nameOf(opener)} to finish opening the folder`;
          if (holdingClock.monotonic() - since > this.#limitMs) throw stopped(opener, this.#limitMs);
          await pause(holdingClock, 1);
          continue;
        }
        this.#say(WRITING);
        if (this.#opener() === undefined) return;
      }
    } finally {
      this.#waitingFor = undefined;
    }
  }

  /** The living process that opens the file, if there is one. */
  #opener(): ProcessIdentity | undefined {
    const found = statSync(this.#opening, AT_ONCE);
    if (found === undefined || (found.ino === this.#stale?.ino && found.mtimeMs === this.#stale.mtimeMs))
      return undefined;
    const opener = readIdentity(this.#opening);
    if (opener === undefined || isAlive(opener)) return opener;
    this.#stale = found;
    return undefined;
  }

  #say(state: number): void {
    if (this.#fd === undefined && state === IDLE) return;
    if (this.#fd === undefined) throw closed('embedded log');
    writeSync(this.#fd, state === WRITING ? YES : NO, 0, 1, 0);
  }
}

const YES = Uint8Array.of(WRITING);
const NO = Uint8Array.of(IDLE);

/**
 * Runs an opening while nobody commits. The caller holds the lock for opening.
 *
 * @param others - Lists the living processes that may write.
 * @throws StoreError `ERR_STORE_LOCKED` when one does not stop writing; the file is not opened then
 */
export async function whileNobodyWrites<T>(
  path: string,
  { waiting, limitMs }: Patience,
  others: () => readonly Marked[],
  work: () => Promise<T>,
): Promise<T> {
  const file = join(path, OPENING);
  const temporary = `${file}.tmp`;
  // By a rename, so that it is there with its content.
  writeFileSync(temporary, JSON.stringify(currentProcess()), { mode: 0o640 });
  renameSync(temporary, file);
  try {
    const since = holdingClock.monotonic();
    for (let writer = writing(others()); writer !== undefined; writer = writing(others())) {
      const waited = holdingClock.monotonic() - since;
      if (waited > limitMs) throw held(path, writer, limitMs);
      if (waited > 1000) waiting(`process ${writer.pid} to finish its write to ${path}`);
      await pause(holdingClock, 1);
    }
    waiting(undefined);
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

function writing(others: readonly Marked[]): ProcessIdentity | undefined {
  return others.find(({ mark }) => markOf(mark) === WRITING)?.who;
}

function markOf(file: string): number | undefined {
  try {
    return readFileSync(file)[0];
  } catch (error) {
    // It has not begun to write yet, or has closed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Cut off when the machine went down: a living process's note is whole.
    if (error instanceof SyntaxError) return { pid: 0, bootId: '', startTime: '', namespace: '' };
    throw error;
  }
}

function held(path: string, { pid }: ProcessIdentity, limitMs: number): StoreError {
  return new StoreError(
    'ERR_STORE_LOCKED',
    `process ${pid} has been writing to ${path} for ${limitMs / 1000} seconds, and nobody can open it until that is done`,
    { written: 'no', hint: `let process ${pid} continue if it is paused, or end it; then open the folder again` },
  );
}

function stopped({ pid }: ProcessIdentity, limitMs: number): StoreError {
  return new StoreError(
    'ERR_STORE_LOCKED',
    `process ${pid} has been opening the folder for ${limitMs / 1000} seconds, and nobody can write until that is done`,
    { written: 'no', hint: `let process ${pid} continue if it is paused, or end it; writing works again then` },
  );
}
