import { join } from 'node:path';
import { holdingClock, pause } from '../../dataflow/clock.ts';
import { StoreError } from '../../errors.ts';
import { type Presence, standingOf } from './presence.ts';
import { type LockAttempt, takeAtOnce, tryLock, unlock } from './process-lock.ts';

const LOCK = 'open.lock';
export const PATIENCE_MS = 30_000;
/** Shorter waits than this are not reported. */
const SOON_MS = 1000;
/** Attempts of 5 ms each. */
const ATTEMPTS_AT_END = 200;

/** Called with a description of what it waits for, and with `undefined` when the wait is over. */
export type Waiting = (reason: string | undefined) => void;

/** The options of a wait. */
export interface Patience {
  readonly waiting: Waiting;
  /** How long to wait before failing, in ms. */
  readonly limitMs: number;
}

/**
 * Lets only one process at a time inspect, open or close the files of a folder. Otherwise two processes that create a
 * database at the same time could wait for each other, an inspecting process could see an intermediate state, and the
 * last one that closes could remove locks that an opening one has just found.
 */
export async function withOpenLock<T>(
  path: string,
  { sign }: Presence,
  { waiting, limitMs }: Patience,
  work: () => Promise<T>,
): Promise<T> {
  const file = join(path, LOCK);
  const since = holdingClock.monotonic();
  for (;;) {
    const attempt = await tryLock(file, sign, standingOf);
    if (attempt.taken) break;
    const waited = holdingClock.monotonic() - since;
    if (waited > limitMs) throw busy(path, attempt, limitMs);
    if (waited > SOON_MS) waiting(`${nameOf(attempt.holder)} to finish opening or closing ${path}`);
    await pause(holdingClock, 2 + Math.random() * 4);
  }
  waiting(undefined);
  try {
    return await work();
  } finally {
    unlock(file);
  }
}

/** At the end of the process, when waiting is impossible: holds the lock until the process is gone. */
export function holdOpenLockUntilGone(path: string, { sign }: Presence): void {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  try {
    for (let attempt = 0; attempt < ATTEMPTS_AT_END && !takeAtOnce(join(path, LOCK), sign); attempt++) {
      Atomics.wait(cell, 0, 0, 5);
    }
  } catch {
    // The folder is gone, and nobody opens it.
  }
}

export const nameOf = (sign: { readonly pid: number } | undefined): string =>
  sign === undefined || sign.pid === 0 ? 'another process' : `process ${sign.pid}`;

function busy(path: string, { holder, elsewhere }: LockAttempt, limitMs: number): StoreError {
  const who = `${nameOf(holder)}${elsewhere === true ? ' of another container' : ''}`;
  return new StoreError(
    'ERR_STORE_LOCKED',
    `${who} has been opening or closing ${path} for ${limitMs / 1000} seconds`,
    {
      written: 'no',
      hint: `wait for it, or stop it if it hangs`,
    },
  );
}
