import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { every, systemClock } from '../../dataflow/clock.ts';
import { ConfigError, StoreError } from '../../errors.ts';
import type { Durability } from '../../options/durability.ts';
import { Doorbell } from './doorbell.ts';
import { EmbeddedLog } from './embedded-log.ts';
import { DOORBELL, explain, isOldFormat, markCurrent, prepareFolder, RUNS } from './folder.ts';
import {
  closeAtOnce,
  DATA_FILE,
  type Databases,
  loadLmdb,
  openDatabases,
  readerPids,
  reopenDatabases,
  settle,
} from './lmdb.ts';
import { maintain } from './maintenance.ts';
import { holdOpenLockUntilGone, PATIENCE_MS, type Waiting, withOpenLock } from './open-lock.ts';
import { inspectBeforeOpen, markOf, pidsOf, type Run, writersOf } from './preflight.ts';
import { Presence } from './presence.ts';
import { WriteGate, whileNobodyWrites } from './write-gate.ts';

export interface EnvironmentOptions {
  readonly path: string;
  /** Whether to create a log if there is none. */
  readonly create: boolean;
  readonly durability: Durability;
  readonly maxBytes: number;
  readonly maintenanceMs: number;
  readonly now: () => number;
  /** Called with what opening waits for. */
  readonly waiting?: Waiting;
}

/** The log of a folder, opened once per process and shared by all its transports. */
export interface Environment {
  readonly path: string;
  readonly log: EmbeddedLog;
  readonly doorbell: Doorbell;
  /** Applies retention and compaction now. */
  maintain(now?: number, force?: boolean): Promise<void>;
  /** Releases it; the last release closes the files. */
  release(): Promise<void>;
}

interface Shared {
  readonly opened: Promise<Opened>;
  readonly durability: Durability;
  users: number;
}

interface Opened {
  readonly environment: Omit<Environment, 'release'>;
  close(): Promise<void>;
}

/** A process must not open an LMDB file twice. */
const shared = new Map<string, Shared>();
const closing = new Map<string, Promise<void>>();

export async function openEnvironment(given: EnvironmentOptions): Promise<Environment> {
  const { create, ...options } = given;
  prepareFolder(resolve(options.path), create);
  const path = realpathSync(options.path);
  await closing.get(path);
  let entry = shared.get(path);
  if (entry === undefined) {
    entry = { opened: open({ ...options, path }), durability: options.durability, users: 0 };
    shared.set(path, entry);
  } else if (entry.durability !== options.durability) {
    throw new ConfigError(
      'ERR_OPTION_MISMATCH',
      `${path} is open in this process with durability "${entry.durability}", not "${options.durability}"`,
      { hint: 'use the same durability wherever this process opens the folder' },
    );
  }
  const mine = entry;
  mine.users++;
  try {
    const { environment, close } = await mine.opened;
    let released: Promise<void> | undefined;
    return {
      ...environment,
      release: () => (released ??= letGo(path, mine, close)),
    };
  } catch (error) {
    if (shared.get(path) === mine) shared.delete(path);
    throw error;
  }
}

async function letGo(path: string, entry: Shared, close: () => Promise<void>): Promise<void> {
  entry.users--;
  if (entry.users > 0) return;
  shared.delete(path);
  const closed = close().finally(() => closing.delete(path));
  closing.set(path, closed);
  await closed;
}

async function open(options: Omit<EnvironmentOptions, 'create'>): Promise<Opened> {
  const { path, now, waiting = () => undefined } = options;
  const file = join(path, DATA_FILE);
  const noSync = options.durability === 'memory';
  const files = await openFiles(path, file, noSync, waiting);
  const { db, gate } = files;
  const doorbell: Doorbell = new Doorbell(join(path, DOORBELL), () => log.refresh());
  const log = new EmbeddedLog(db, {
    ...options,
    file,
    gate,
    ring: () => doorbell.ring(),
    reopen: async () => {
      const patience = { waiting: () => undefined, limitMs: PATIENCE_MS };
      await withOpenLock(path, files.presence, patience, () =>
        whileNobodyWrites(
          path,
          patience,
          () => writersOf(path),
          () => reopenDatabases(db, file, { noSync }),
        ),
      );
      log.refresh();
    },
  });
  const keeper = startMaintenance(log, options);
  return {
    environment: {
      path,
      log,
      doorbell,
      maintain: (at = now(), force = false) => keeper.run(at, force),
    },
    close: async () => {
      await keeper.stop();
      await log.writer.close();
      doorbell.close();
      await closeFiles(path, files, log.writer.doubtful);
    },
  };
}

/** What this process holds while a folder is open. */
interface Files {
  readonly db: Databases;
  readonly run: Run;
  readonly gate: WriteGate;
  readonly presence: Presence;
  readonly atExit: () => void;
}

async function openFiles(path: string, file: string, noSync: boolean, waiting: Waiting): Promise<Files> {
  await loadLmdb();
  const patience = { waiting, limitMs: PATIENCE_MS };
  const presence = await Presence.open(join(path, RUNS));
  try {
    return await withOpenLock(path, presence, patience, async () => {
      const run = await inspectBeforeOpen(path, presence);
      let db: Databases | undefined;
      let gate: WriteGate | undefined;
      try {
        gate = new WriteGate(path, markOf(path));
        if (isOldFormat(path)) {
          if (existsSync(file)) await settle(file);
          markCurrent(path);
        }
        db = await whileNobodyWrites(
          path,
          patience,
          () => writersOf(path),
          () => openDatabases(file, { noSync }),
        );
        refuseStrangers(path, db);
        run.opened();
        // LMDB closes the file at the end of the process, even if it is already closed.
        const atExit = (): void => holdOpenLockUntilGone(path, presence);
        process.once('exit', atExit);
        return { db, run, gate, presence, atExit };
      } catch (error) {
        if (db !== undefined) closeAtOnce(db);
        gate?.close();
        run.abandon();
        throw error;
      }
    });
  } catch (error) {
    await presence.close();
    throw explain(path, error);
  }
}

async function closeFiles(path: string, files: Files, doubtful: boolean): Promise<void> {
  const { db, run, gate, presence, atExit } = files;
  await withOpenLock(path, presence, { waiting: () => undefined, limitMs: 2 * PATIENCE_MS }, async () => {
    if (doubtful) closeAtOnce(db);
    else await db.root.close();
    gate.close();
    run.closed();
  });
  process.off('exit', atExit);
  await presence.close();
}

/** A foreign program that opens the file with LMDB does not respect the gate. */
function refuseStrangers(path: string, db: Databases): void {
  const ours = pidsOf(path);
  const stranger = readerPids(db).find((pid) => !ours.has(pid));
  if (stranger === undefined) return;
  throw new StoreError(
    'ERR_STORE_LOCKED',
    `process ${stranger} has ${join(path, DATA_FILE)} open and is not a process of this version of millrace`,
    { written: 'no', hint: `stop process ${stranger}: tools for LMDB must not open the file while it is in use` },
  );
}

interface Keeper {
  run(now: number, force: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Runs maintenance soon after opening and then periodically. Its failures show up where the same data is used. */
function startMaintenance(
  log: EmbeddedLog,
  { maintenanceMs, now }: Pick<EnvironmentOptions, 'now' | 'maintenanceMs'>,
): Keeper {
  let stopped = false;
  let current: Promise<void> = Promise.resolve();
  const run = (at: number, force: boolean): Promise<void> => {
    const next = current.catch(() => undefined).then(() => maintain(log, { now: at, force, stopped: () => stopped }));
    current = next;
    return next;
  };
  const quietly = (): void => void run(now(), false).catch(() => undefined);
  const first = systemClock.after(Math.min(1000, maintenanceMs), quietly);
  const stop = every(systemClock, maintenanceMs, quietly);
  return {
    run,
    stop: async () => {
      stopped = true;
      first();
      stop();
      await current.catch(() => undefined);
    },
  };
}
