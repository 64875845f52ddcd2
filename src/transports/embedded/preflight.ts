import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { StoreError } from '../../errors.ts';
import { Damage, DataFile } from './data-file.ts';
import { DOORBELL, RUNS } from './folder.ts';
import { DATA_FILE } from './lmdb.ts';
import { type Presence, type Sign, standingOf, threadName } from './presence.ts';
import { currentProcess, isAlive, type ProcessIdentity, sameProcess } from './process-identity.ts';
import { checkStructure, type LostRecords, survey } from './survey.ts';
import type { Marked } from './write-gate.ts';

/** This process's use of a folder, visible to other and later processes. */
export interface Run {
  /** Opening has worked. */
  opened(): void;
  /** Opening has failed, in a way that left the process alive. */
  abandon(): void;
  /** Everything is closed. */
  closed(): void;
}

/**
 * The file of a process that uses the folder. It is removed on close, so the file of a dead process indicates a crash.
 */
interface RunFile extends Sign {
  /** Set by versions that coordinate opening the file. Older ones do not coordinate and do not set it. */
  readonly gate?: true;
  readonly phase: 'opening' | 'open';
  /** The last transaction in the file when the process opened it. */
  readonly transaction: number;
}

/** The state of the file after it was closed: if it differs, something else has changed the file. */
export interface CleanState {
  readonly size: number;
  readonly mtimeMs: number;
}

const CLEAN = 'clean.json';
const RUN = '.json';
const MARK = '.writing';
/** The most pages to check before opening, so that a large log opens fast: 400 MB at 4 KiB. */
export const MAX_PAGES = 100_000;
/** After this many crashes without a commit in between, everything is read and verified. */
const CRASHES = 3;

/**
 * Inspects the data file before LMDB does, because LMDB crashes the process if the file is damaged. It always checks
 * the header; it checks the structure if the last process was killed; and it checks all contents if the file has
 * changed since it was closed, if the last process died while opening it, or if several processes died in a row without
 * a commit.
 *
 * @throws StoreError `ERR_CORRUPT_LOG` saying what is lost; `ERR_STORE_LOCKED` if a process has the folder open that
 * this one cannot share it with
 */
export async function inspectBeforeOpen(path: string, { sign }: Presence): Promise<Run> {
  const me = currentProcess();
  const runs = readRuns(path);
  for (const run of runs) await refuseBeside(path, run);
  const dead = runs.filter(({ run }) => !sameProcess(run, me) && !isAlive(run, me));
  const transaction = lastTransaction(path);
  // If another process has it open, the file is valid and changes during the inspection.
  if (transaction !== undefined && !inUse(path, me)) {
    const stuck = dead.filter(({ run }) => run.transaction === transaction);
    const closed = lookWhenClosed(path);
    const changed = closed !== undefined && !isSame(closed, lookOf(path));
    const suspicious = changed || stuck.length >= CRASHES || dead.some(({ run }) => run.phase === 'opening');
    let damage: readonly string[] = [];
    if (suspicious) ({ damage } = survey(path));
    else if (closed === undefined) damage = checkStructure(path, MAX_PAGES);
    if (!inUse(path, me)) refuseDamaged(path, damage);
    for (const { file, run } of dead) if (suspicious || run.transaction !== transaction) bury(file);
  }
  return begin(path, { ...sign, gate: true, phase: 'opening', transaction: transaction ?? 0 });
}

/** Removes the files of a dead process. */
function bury(file: string): void {
  const stem = file.slice(0, -RUN.length);
  for (const ending of [MARK, RUN]) rmSync(`${stem}${ending}`, { force: true });
}

/** LMDB's locks and reader table use pids, and every process must respect the gate. */
async function refuseBeside(
  path: string,
  { file, run }: { readonly file: string; readonly run: RunFile },
): Promise<void> {
  const standing = await standingOf(run, file);
  if (standing === 'dead' || (standing === 'alive' && run.gate === true)) return;
  if (standing === 'alive') {
    throw new StoreError(
      'ERR_STORE_LOCKED',
      `process ${run.pid} has ${path} open with an older version of millrace, which does not share the folder`,
      { written: 'no', hint: `stop process ${run.pid}, and use one version on a folder` },
    );
  }
  throw new StoreError(
    'ERR_STORE_LOCKED',
    `a process of another container (pid ${run.pid} there) has ${path} open; processes share a folder only within one pid namespace`,
    {
      written: 'no',
      hint: `give each container a folder of its own, let the containers share one pid namespace, or use Kafka; if that container is gone for certain, remove ${file}`,
    },
  );
}

/** The file in which this thread records whether it writes. */
export const markOf = (path: string): string => join(path, RUNS, `${threadName()}${MARK}`);

/** Living processes that may write, other than this thread. */
export function writersOf(path: string): Marked[] {
  const me = currentProcess();
  const mine = `${threadName()}${RUN}`;
  return readRuns(path)
    .filter(({ file, run }) => basename(file) !== mine && run.phase === 'open' && isAlive(run, me))
    .map(({ file, run }) => ({ who: run, mark: `${file.slice(0, -RUN.length)}${MARK}` }));
}

/** Pids of all living processes that have the folder open. */
export function pidsOf(path: string): Set<number> {
  return new Set(readRuns(path).map(({ run }) => run.pid));
}

function inUse(path: string, me: ProcessIdentity): boolean {
  return readRuns(path).some(({ run }) => run.phase === 'open' && (sameProcess(run, me) || isAlive(run, me)));
}

function begin(path: string, run: RunFile): Run {
  const file = join(path, RUNS, `${threadName()}${RUN}`);
  const clean = join(path, CLEAN);
  const write = (phase: RunFile['phase']): void => replace(file, { ...run, phase });
  write('opening');
  return {
    opened: () => {
      rmSync(clean, { force: true });
      write('open');
    },
    abandon: () => rmSync(file, { force: true }),
    closed: () => {
      rmSync(file, { force: true });
      try {
        if (readRuns(path).length === 0) replace(clean, lookOf(path));
      } catch {
        // The folder was removed meanwhile. Without the note, the next opening only checks more thoroughly.
      }
    },
  };
}

/** @returns the number of the last transaction; `undefined` if there is no file yet. */
function lastTransaction(path: string): number | undefined {
  const file = join(path, DATA_FILE);
  let size: number;
  try {
    ({ size } = statSync(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    size = -1;
  }
  if (size <= 0) {
    // The doorbell is created after the first transaction, so if it exists, there was a non-empty data file.
    if (existsSync(join(path, DOORBELL)))
      refuseDamaged(path, [size < 0 ? `the file ${DATA_FILE} is gone` : `the file ${DATA_FILE} is empty`]);
    return undefined;
  }
  try {
    const data = new DataFile(file);
    data.close();
    return data.meta.transaction;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    refuseDamaged(path, [error.message]);
    return undefined;
  }
}

function readRuns(path: string): { readonly file: string; readonly run: RunFile }[] {
  const found: { readonly file: string; readonly run: RunFile }[] = [];
  for (const name of readdirSync(join(path, RUNS))) {
    if (!name.endsWith(RUN)) continue;
    const file = join(path, RUNS, name);
    try {
      found.push({ file, run: JSON.parse(readFileSync(file, 'utf8')) as RunFile });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      if (!(error instanceof SyntaxError)) throw error;
      // Truncated by a crash of the machine and therefore useless.
      rmSync(file, { force: true });
    }
  }
  return found;
}

export function lookOf(path: string): CleanState {
  const { size, mtimeMs } = statSync(join(path, DATA_FILE));
  return { size, mtimeMs };
}

/** The state of the file when the last process closed it; `undefined` if that process was killed. */
function lookWhenClosed(path: string): CleanState | undefined {
  try {
    return JSON.parse(readFileSync(join(path, CLEAN), 'utf8')) as CleanState;
  } catch {
    return undefined;
  }
}

export const isSame = (a: CleanState, b: CleanState): boolean => a.size === b.size && a.mtimeMs === b.mtimeMs;

function replace(file: string, content: unknown): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, JSON.stringify(content), { mode: 0o640 });
  renameSync(temporary, file);
}

function refuseDamaged(path: string, damage: readonly string[]): void {
  const first = damage[0];
  if (first === undefined) return;
  const { lost } = survey(path);
  const place = lost[0];
  const more = damage.length > 1 ? ` (and ${damage.length - 1} more)` : '';
  throw new StoreError(
    'ERR_CORRUPT_LOG',
    `The embedded log in ${path} is damaged: ${first}${more}${describeLost(lost)}`,
    {
      hint: 'stop all processes that use the folder and copy what is readable with salvage(path, target); the damaged file is left as it is',
      ...place,
    },
  );
}

function describeLost(lost: readonly LostRecords[]): string {
  if (lost.length === 0) return '';
  const ranges = lost
    .slice(0, 5)
    .map((range) => `${range.topic}/${range.partition}@${range.offset}..${range.lastOffset}`);
  return `; lost: ${ranges.join(', ')}${lost.length > 5 ? ` and ${lost.length - 5} more ranges` : ''}`;
}
