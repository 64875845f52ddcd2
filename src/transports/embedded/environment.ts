import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Durability } from '../../durability.ts';
import { ConfigError } from '../../errors.ts';
import { Doorbell } from './doorbell.ts';
import { EmbeddedLog } from './embedded-log.ts';
import { DOORBELL, explain, prepareFolder } from './folder.ts';
import { DATA_FILE, type Databases, openDatabases } from './lmdb.ts';
import { maintain } from './maintenance.ts';
import { withOpenLock } from './open-lock.ts';
import { inspectBeforeOpen, type Run } from './preflight.ts';

export interface EnvironmentOptions {
  readonly path: string;
  readonly durability: Durability;
  readonly maxBytes: number;
  readonly maintenanceMs: number;
  readonly now: () => number;
}

/** The log of a folder, opened once per process and shared by all its transports. */
export interface Environment {
  readonly path: string;
  readonly log: EmbeddedLog;
  readonly doorbell: Doorbell;
  /** Applies retention and compaction now. */
  maintain(now?: number, force?: boolean): Promise<void>;
  /** Lets go; the last one closes the files. */
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

/** LMDB must not open a file twice in a process. */
const shared = new Map<string, Shared>();
const closing = new Map<string, Promise<void>>();

export async function openEnvironment(options: EnvironmentOptions): Promise<Environment> {
  prepareFolder(resolve(options.path));
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

async function open(options: EnvironmentOptions): Promise<Opened> {
  const { path, now } = options;
  const file = join(path, DATA_FILE);
  const { db, run } = await openFiles(path, file, options.durability === 'memory');
  const doorbell: Doorbell = new Doorbell(join(path, DOORBELL), () => log.refresh());
  const log = new EmbeddedLog(db, { ...options, file, ring: () => doorbell.ring() });
  const keeper = startMaintenance(log, options);
  return {
    environment: {
      path,
      log,
      doorbell,
      maintain: (at = now(), force = false) => keeper.run(at, force),
    },
    close: () => closeAll(db, log, doorbell, keeper, run),
  };
}

async function openFiles(path: string, file: string, noSync: boolean): Promise<{ db: Databases; run: Run }> {
  try {
    return await withOpenLock(path, async () => {
      const run = inspectBeforeOpen(path);
      try {
        const db = await openDatabases(file, { noSync });
        run.opened();
        return { db, run };
      } catch (error) {
        run.abandon();
        throw error;
      }
    });
  } catch (error) {
    throw explain(path, error);
  }
}

async function closeAll(db: Databases, log: EmbeddedLog, doorbell: Doorbell, keeper: Keeper, run: Run): Promise<void> {
  await keeper.stop();
  await log.writer.close();
  doorbell.close();
  await db.root.close();
  run.closed();
}

interface Keeper {
  run(now: number, force: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Maintenance soon after opening and then at a slow pace. Its failures show where the same data is used. */
function startMaintenance(log: EmbeddedLog, { maintenanceMs, now }: EnvironmentOptions): Keeper {
  let stopped = false;
  let current: Promise<void> = Promise.resolve();
  const run = (at: number, force: boolean): Promise<void> => {
    const next = current.catch(() => undefined).then(() => maintain(log, { now: at, force, stopped: () => stopped }));
    current = next;
    return next;
  };
  const quietly = (): void => void run(now(), false).catch(() => undefined);
  const soon = setTimeout(quietly, Math.min(1000, maintenanceMs)).unref();
  const timer = setInterval(quietly, maintenanceMs).unref();
  return {
    run,
    stop: async () => {
      stopped = true;
      clearTimeout(soon);
      clearInterval(timer);
      await current.catch(() => undefined);
    },
  };
}
