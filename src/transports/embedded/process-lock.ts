import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts';

/** How an attempt to take a lock ended. */
export interface LockAttempt {
  readonly taken: boolean;
  /** Who has it instead, where that can be told. */
  readonly holder: ProcessIdentity | undefined;
}

/** Takes a lock file for this process, also from a process that has ended without giving it back. Does not wait. */
export function tryLock(file: string): LockAttempt {
  const me = currentProcess();
  const mine = `${file}.${me.pid}-${threadId}`;
  writeFileSync(mine, JSON.stringify(me), { mode: 0o640 });
  try {
    if (take(mine, file)) return { taken: true, holder: undefined };
    const holder = read(file);
    if (holder === undefined || isAlive(holder, me)) return { taken: false, holder };
    bury(file, `${mine}.stale`);
    return { taken: take(mine, file), holder: undefined };
  } finally {
    rmSync(mine, { force: true });
  }
}

export function unlock(file: string): void {
  rmSync(file, { force: true });
}

/** A link appears with its content, or not at all. */
function take(mine: string, file: string): boolean {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function bury(file: string, grave: string): void {
  try {
    renameSync(file, grave);
    const buried = read(grave);
    // Somebody was faster and this is their lock, not the old one: it goes back.
    if (buried !== undefined && isAlive(buried)) take(grave, file);
    rmSync(grave, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
