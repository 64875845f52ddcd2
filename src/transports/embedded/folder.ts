import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { StoreError } from '../../errors.ts';
import { refuseNetwork } from './file-system.ts';
import { DATA_FILE } from './lmdb.ts';
import { corruptLog } from './sealed.ts';

/**
 * The format version of the folder. A newer version is refused and not touched. Version 2 has the same files as 1, but
 * its processes coordinate opening, so processes that only know version 1 must stay out.
 */
const FORMAT = 2;
const MARKER = 'millrace.json';
export const DOORBELL = 'doorbell';
export const RUNS = 'runs';

interface Marker {
  readonly millrace: 'embedded log';
  readonly format: number;
}

/**
 * Creates the folder if missing, and checks that it is a log that this version can use.
 *
 * @param create - If false, nothing is created if there is no log.
 */
export function prepareFolder(path: string, create: boolean): void {
  try {
    if (!create && !existsSync(path)) throw noLog(path, 'there is no such folder');
    makeFolder(path);
    if (!statSync(path).isDirectory()) throw notOurs(path, 'it is a file');
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    refuseNetwork(path);
    const marker = join(path, MARKER);
    if (!existsSync(marker)) begin(path, marker, create);
    check(path, readFileSync(marker, 'utf8'));
    if (existsSync(join(path, DATA_FILE))) accessSync(join(path, DATA_FILE), constants.R_OK | constants.W_OK);
    mkdirSync(join(path, RUNS), { recursive: true, mode: 0o750 });
  } catch (error) {
    throw explain(path, error);
  }
}

function makeFolder(path: string): void {
  if (existsSync(path)) return;
  // On a read-only file system a recursive mkdir only reports that something does not exist.
  let parent = dirname(path);
  while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent);
  if (statSync(parent).isDirectory()) accessSync(parent, constants.W_OK | constants.X_OK);
  mkdirSync(path, { recursive: true, mode: 0o750 });
}

/** The error for a folder with insufficient permissions or space. Any other error is returned unchanged. */
export function explain(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'EEXIST' || code === 'ENOTDIR') return notOurs(path, 'there is a file in the way');
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new StoreError('ERR_DISK_FULL', `No space to open the embedded log in ${path}`, {
      cause: error,
      written: 'no',
      hint: 'free some space and start again; acknowledged records are safe',
    });
  }
  if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') return error;
  const uid = process.getuid?.();
  const who = uid === undefined ? 'this user' : `uid ${uid}`;
  const why = code === 'EROFS' ? 'the file system is read-only' : 'permission is denied';
  return new StoreError('ERR_STORE_PERMISSION', `The folder ${path} cannot be written by ${who}: ${why}`, {
    cause: error,
    hint: `give ${who} read and write access to the folder and the files in it, or choose another path`,
  });
}

/**
 * Several processes may start at the same time. The marker is created first and appears together with its content, so a
 * process that finds anything of ours in the folder also finds the marker when it checks again.
 */
function begin(path: string, marker: string, create: boolean): void {
  const found = readdirSync(path).filter((name) => name !== '.gitignore' && !name.startsWith(MARKER));
  if (found.length > 0 && !existsSync(marker)) {
    if (found.includes(DATA_FILE)) throw corruptLog(`the file ${MARKER} is missing beside ${DATA_FILE}`, path);
    throw notOurs(path, `it holds ${found.slice(0, 3).join(', ')} and no ${MARKER}`);
  }
  if (!create && !existsSync(marker)) throw noLog(path, 'the folder is empty');
  const temporary = `${marker}.${process.pid}-${threadId}`;
  writeFileSync(temporary, markerText(), { mode: 0o640 });
  try {
    linkSync(temporary, marker);
  } catch (error) {
    // Another process started at the same time.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function markerText(): string {
  const content: Marker = { millrace: 'embedded log', format: FORMAT };
  return `${JSON.stringify(content)}\n`;
}

/** Whether an older version, which this one can upgrade, created the folder. */
export function isOldFormat(path: string): boolean {
  const { format } = JSON.parse(readFileSync(join(path, MARKER), 'utf8')) as Marker;
  return format < FORMAT;
}

/** Makes older versions refuse the folder from now on. */
export function markCurrent(path: string): void {
  const marker = join(path, MARKER);
  writeFileSync(`${marker}.tmp`, markerText(), { mode: 0o640 });
  renameSync(`${marker}.tmp`, marker);
}

function check(path: string, content: string): void {
  let marker: Partial<Marker>;
  try {
    marker = JSON.parse(content) as Partial<Marker>;
  } catch (cause) {
    throw corruptLog(`the file ${MARKER} cannot be read`, path, cause);
  }
  if (marker?.millrace !== 'embedded log') throw notOurs(path, `${MARKER} says so`);
  if (marker.format === FORMAT || marker.format === FORMAT - 1) return;
  throw new StoreError(
    'ERR_STORE_VERSION',
    `The log in ${path} has format ${String(marker.format)}, this version knows ${FORMAT}`,
    {
      hint: 'use the version of millrace that wrote it, or a newer one; nothing was changed',
    },
  );
}

function noLog(path: string, why: string): StoreError {
  return new StoreError('ERR_NO_LOG', `There is no log in ${path}: ${why}`, {
    hint: 'check the path, or leave out { create: false } to create one there',
  });
}

function notOurs(path: string, why: string): StoreError {
  return new StoreError('ERR_NOT_A_LOG', `${path} is not the folder of an embedded log: ${why}`, {
    hint: 'choose a new or empty folder; nothing was changed',
  });
}
