import { join } from 'node:path';
import { holdingClock, pause } from '../../dataflow/clock.ts';
import { StoreError } from '../../errors.ts';
import { type Presence, standingOf } from './presence.ts';
import { type LockAttempt, takeAtOnce, tryLock, unlock } from './process-lock.ts';

const LOCK = 'open.lock';
export const PATIENCE_MS = 30_000;
/** Waiting for less than this is not worth a word. */
const SOON_MS = 1000;
/** Of 5 milliseconds each. */
const ATTEMPTS_AT_END = 200;

/** Hears what is waited for, in words, and `undefined` when it is over. */
export type Waiting = (reason: string | undefined) => void;

/** What a wait needs to know. */
export interface Patience {
  readonly waiting: Waiting;
  /** Milliseconds until it fails. */
  readonly limitMs: number;
}

/**
 * Lets one process at a time inspect, open or close the files of a folder: two that create a database at the same moment
 * could wait for each other, one that inspects must not see the other half way, and the last one that closes takes the
 * locks apart that one that opens has just found.
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

/** At the end of the process, when nothing can be waited for: holds the lock until the process is gone. */
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
