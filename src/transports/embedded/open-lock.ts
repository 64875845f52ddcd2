import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StoreError } from '../../errors.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { tryLock, unlock } from './process-lock.ts';

const LOCK = 'open.lock';
const PATIENCE_MS = 30_000;

/**
 * Lets one process at a time inspect and open the files of a folder: two that create a database at the same moment could
 * wait for each other, and one that inspects must not see the other half way.
 */
export async function withOpenLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const file = join(path, LOCK);
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { taken, holder } = tryLock(file);
    if (taken) break;
    if (performance.now() > deadline) throw busy(path, holder);
    await sleep(5);
  }
  try {
    return await work();
  } finally {
    unlock(file);
  }
}

function busy(path: string, holder: ProcessIdentity | undefined): StoreError {
  const who = holder === undefined ? 'another process' : `process ${holder.pid}`;
  return new StoreError('ERR_STORE_LOCKED', `${who} has been opening ${path} for ${PATIENCE_MS / 1000} seconds`, {
    hint: `wait for it, or stop it if it hangs`,
  });
}
