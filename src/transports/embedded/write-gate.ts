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

/** A process that may be writing, and the file in which it announces its writes. */
export interface Marked {
  readonly who: ProcessIdentity;
  readonly mark: string;
}

/**
 * Keeps transactions and openings of the data file apart. LMDB does not: a process that opens the file reads the number
 * of the last transaction and writes it back a moment later, without a lock. The next transaction then overwrites
 * anything committed in between.
 *
 * A writer announces itself first and then checks whether a process is opening the file. A process that opens the file
 * announces itself first and then waits until nobody is writing. So if two meet, at least one sees the other.
 */
export class WriteGate {
  readonly #opening: string;
  readonly #mark: string;
  /** `undefined` once closed, because the descriptor number may then belong to another file. */
  #fd: number | undefined;
  readonly #limitMs: number;
  /** The note of a process that died while opening the file, kept so that it is not read again for each transaction. */
  #stale: Stats | undefined;
  #waitingFor: string | undefined;

  /** @param limitMs - How long a transaction waits for a process that is opening the file. */
  constructor(path: string, mark: string, limitMs: number = PATIENCE_MS) {
    this.#limitMs = limitMs;
    this.#opening = join(path, OPENING);
    this.#mark = mark;
    this.#fd = openSync(mark, 'w', 0o640);
    // This allocates its disk space now, so that the gate still works when the disk is full.
    this.#say(IDLE);
  }

  /** Call before a transaction. Returns `undefined` if it may begin at once. @throws StoreError `ERR_STORE_LOCKED` */
  enter(): Promise<void> | undefined {
    this.#say(WRITING);
    return this.#opener() === undefined ? undefined : this.#wait();
  }

  /** Call after a transaction, once LMDB has finished with it. */
  leave(): void {
    this.#say(IDLE);
  }

  /** Describes what transactions are waiting for. */
  waitingFor(): string | undefined {
    return this.#waitingFor;
  }

  /** From now on, a waiting transaction does not begin. */
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

  /** The live process that is opening the file, if there is one. */
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
 * Opens the file while nobody commits. The caller holds the lock for opening.
 *
 * @param others - Lists the live processes that may write.
 * @throws StoreError `ERR_STORE_LOCKED` if one does not stop writing; the file is then not opened
 */
export async function whileNobodyWrites<T>(
  path: string,
  { waiting, limitMs }: Patience,
  others: () => readonly Marked[],
  work: () => Promise<T>,
): Promise<T> {
  const file = join(path, OPENING);
  const temporary = `${file}.tmp`;
  // Written by a rename, so that the file never exists without its content.
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
    // The process has not written yet, or has closed.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function readIdentity(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    // Truncated when the machine went down: the note of a live process is complete.
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
