import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import type { Sign, Standing } from './presence.ts';
import { currentProcess, sameProcess } from './process-identity.ts';

/** How an attempt to take a lock ended. */
export interface LockAttempt {
  readonly taken: boolean;
  /** The current holder, if known. */
  readonly holder: Sign | undefined;
  /** Whether the holder belongs to another container. */
  readonly elsewhere?: boolean;
}

/** Determines the standing of the process that left a sign in a file. */
type Judge = (sign: Sign, file: string) => Standing | Promise<Standing>;

/**
 * Takes a lock file for this process, even from a process that ended without releasing it. It does not wait.
 *
 * A process that wants the lock never removes the file of a dead holder: between checking and removing, it could have
 * become another process's file. Instead, one process inherits the lock with a file named after the dead one, which can
 * only be created once. Names are never reused, so an inheritance from one holder cannot be mistaken for that of a
 * later one.
 */
export async function tryLock(file: string, sign: Sign, judge: Judge): Promise<LockAttempt> {
  const mine = temporaryOf(file);
  writeFileSync(mine, JSON.stringify({ ...sign, thread: threadId }), { mode: 0o640 });
  try {
    if (take(mine, file)) return { taken: true, holder: undefined };
    for (let at = file, first = readHolder(file); ; ) {
      const holder = at === file ? first : readHolder(at);
      if (holder === undefined) return { taken: false, holder };
      const standing = await judge(holder, file);
      if (standing !== 'dead') return { taken: false, holder, elsewhere: standing === 'elsewhere' };
      at = heirOf(file, holder);
      if (!take(mine, at)) continue;
      // The previous heir may have released everything meanwhile; then this lock belonged to nobody.
      const still = readHolder(file);
      if (still !== undefined && first !== undefined && sameHolder(still, first))
        return { taken: true, holder: undefined };
      rmSync(at, { force: true });
      return { taken: false, holder: still };
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Takes a free lock file immediately. @returns whether this thread has it now */
export function takeAtOnce(file: string, sign: Sign): boolean {
  const holder = readHolder(file);
  if (holder !== undefined) return isMine(holder);
  const mine = temporaryOf(file);
  writeFileSync(mine, JSON.stringify({ ...sign, thread: threadId }), { mode: 0o640 });
  try {
    return take(mine, file);
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Releases a lock of this thread, together with the files that it was inherited from. */
export function unlock(file: string): void {
  const line: string[] = [];
  for (let at = file; ; ) {
    const holder = readHolder(at);
    if (holder === undefined) return;
    line.push(at);
    if (isMine(holder)) break;
    at = heirOf(file, holder);
  }
  // The lock itself first: a process that still checks an heir's file then finds nothing to inherit.
  for (const at of line) rmSync(at, { force: true });
}

let count = 0;

const temporaryOf = (file: string): string => `${file}.${process.pid}-${threadId}-${++count}`;

interface Holder extends Sign {
  readonly thread?: number;
}

const isMine = (holder: Holder): boolean => sameProcess(holder, currentProcess()) && (holder.thread ?? 0) === threadId;

const sameHolder = (a: Holder, b: Holder): boolean => sameProcess(a, b) && a.thread === b.thread;

const heirOf = (file: string, { pid, startTime, bootId, namespace, thread = 0 }: Holder): string =>
  `${file}.after-${[pid, startTime, bootId.slice(0, 8), namespace.replaceAll(/\D/g, ''), thread].join('-')}`;

/** A link appears together with its content or not at all. */
function take(mine: string, file: string): boolean {
  try {
    linkSync(mine, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    const { ino, mtimeMs } = statSync(file);
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as Holder;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // The file appears together with its content, so the machine went down before the content was on disk.
      return { pid: 0, bootId: '', startTime: `${ino}.${mtimeMs}`, namespace: '' };
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
