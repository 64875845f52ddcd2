import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../../errors.ts';
import { currentProcess, isAlive, type ProcessIdentity } from './process-identity.ts';

const LOCK = 'open.lock';
const PATIENCE_MS = 30_000;

/**
 * Lets one process at a time inspect and open the files of a folder: two that create a database at the same moment could
 * wait for each other, and one that inspects must not see the other half way. A lock whose process has ended is removed.
 */
export async function withOpenLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const file = join(path, LOCK);
  const me = currentProcess();
  const mine = join(path, `${LOCK}.${me.pid}`);
  const deadline = performance.now() + PATIENCE_MS;
  writeFileSync(mine, JSON.stringify(me), { mode: 0o640 });
  try {
    while (!take(mine, file)) {
      const holder = read(file);
      if (holder !== undefined && !isAlive(holder, me)) bury(file, `${mine}.stale`);
      else if (performance.now() > deadline) throw busy(path, holder);
      else await sleep(5);
    }
  } finally {
    rmSync(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
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

function busy(path: string, holder: ProcessIdentity | undefined): StoreError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`;
  return new StoreError('ERR_STORE_LOCKED', `${who} has been opening ${path} for ${PATIENCE_MS / 1000} seconds`, {
    hint: `wait for it, or stop it if it hangs`,
  });
}
