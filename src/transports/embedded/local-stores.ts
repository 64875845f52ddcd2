import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MillraceError, StoreError } from '../../errors.ts';
import type { LocalStores, OpenLocalStores } from '../../state/byte-store.ts';
import { closed } from '../local/errors.ts';
import { refuseNetwork } from './file-system.ts';
import { explain } from './folder.ts';
import { DATA_FILE } from './lmdb.ts';
import { lmdbStores } from './lmdb-stores.ts';
import { type CleanState, isSame, lookOf, MAX_PAGES } from './preflight.ts';
import { Presence, standingOf } from './presence.ts';
import { bootId } from './process-identity.ts';
import { tryLock, unlock } from './process-lock.ts';
import { checkStructure } from './survey.ts';

const LOCK = 'process.lock';
/** The file that records how the files of a folder were left. */
export const NOTE = 'stores.json';
const FORMAT = 1;

/** The note of the last process about the files. */
export interface Note {
  readonly format: number;
  /** The boot of the machine in which they were opened. */
  readonly bootId: string;
  /** The state of the data file when it was closed; `null` while it is open and after a crash. */
  readonly closed: CleanState | null;
}

/**
 * Durable stores for applications whose log does not keep the state, such as those on Kafka: LMDB files below a folder.
 * Each process uses its own folder, `<path>/<applicationId>/<number>`, the first that no living process uses, so
 * several processes can share the path. A restarted process finds the state of an earlier one and reads the rest from
 * the changelog.
 *
 * A commit does not wait for the disk: the changelog has everything that was acknowledged. Files that cannot be trusted
 * (the machine went down while they were open, another version wrote them, they are damaged) are removed, and the
 * stores are rebuilt from their changelogs. You can delete the folder whenever no process is running, without losing
 * anything.
 *
 * @param path - A folder on a local disk, created if missing.
 * @throws StoreError `ERR_STORE_PERMISSION`, `ERR_DISK_FULL` when the stores are opened
 * @public
 */
export function localStores(path: string): OpenLocalStores {
  return async (applicationId) => {
    const parent = join(path, encodeURIComponent(applicationId));
    try {
      mkdirSync(parent, { recursive: true, mode: 0o750 });
      refuseNetwork(parent);
      for (let number = 0; ; number++) {
        const stores = await tryFolder(join(parent, String(number)));
        if (stores !== undefined) return stores;
      }
    } catch (error) {
      throw explain(parent, error);
    }
  };
}

/**
 * @returns `undefined` if a living process has the folder, including one of another container, which answers on its
 * socket.
 */
async function tryFolder(folder: string): Promise<LocalStores | undefined> {
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  const presence = await Presence.open(folder);
  try {
    for (;;) {
      const { taken, holder } = await tryLock(join(folder, LOCK), presence.sign, standingOf);
      if (taken) return await openFolder(folder, presence);
      // No holder any more: it was released a moment ago.
      if (holder !== undefined) break;
    }
  } catch (error) {
    await presence.close();
    throw error;
  }
  await presence.close();
  return undefined;
}

async function openFolder(folder: string, presence: Presence): Promise<LocalStores> {
  const lock = join(folder, LOCK);
  try {
    if (!canBeTrusted(folder)) clear(folder);
    note(folder, null);
    const stores = await lmdbStores(folder);
    return guarded(stores, folder, async () => {
      await stores.close();
      note(folder, lookOf(folder));
      unlock(lock);
      await presence.close();
    });
  } catch (error) {
    unlock(lock);
    throw error;
  }
}

/**
 * LMDB must not open a damaged file. Unwritten data after a crash of the machine leaves old pages, which do not look
 * damaged.
 */
function canBeTrusted(folder: string): boolean {
  if (!existsSync(join(folder, DATA_FILE))) return true;
  let last: Note;
  try {
    last = JSON.parse(readFileSync(join(folder, NOTE), 'utf8')) as Note;
  } catch {
    return false;
  }
  if (last.format !== FORMAT) return false;
  if (last.closed !== null) return isSame(last.closed, lookOf(folder));
  return last.bootId !== '' && last.bootId === bootId() && checkStructure(folder, MAX_PAGES).length === 0;
}

function clear(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.startsWith(DATA_FILE)) rmSync(join(folder, name), { force: true });
  }
}

function note(folder: string, state: CleanState | null): void {
  const content: Note = { format: FORMAT, bootId: bootId(), closed: state };
  writeFileSync(join(folder, NOTE), JSON.stringify(content), { mode: 0o640 });
}

/** Wraps stores so that they are no longer touched once closed. */
function guarded(stores: LocalStores, folder: string, close: () => Promise<void>): LocalStores {
  let closing: Promise<void> | undefined;
  const live = (): LocalStores => {
    if (closing !== undefined) throw closed('store folder');
    return stores;
  };
  return {
    open: (id) => {
      const store = live().open(id);
      return {
        id,
        get: (key) => {
          live();
          return store.get(key);
        },
        range: (from, to) => {
          live();
          return store.range(from, to);
        },
        keys: (from, to) => {
          live();
          return store.keys(from, to);
        },
      };
    },
    list: (applicationId) => live().list(applicationId),
    check: (writes) => live().check(writes),
    apply: (writes) => {
      // The commit was acknowledged during closing: it is in the changelog and will be read from there.
      if (closing !== undefined) return;
      try {
        stores.apply(writes);
      } catch (cause) {
        if (cause instanceof MillraceError) throw cause;
        throw new StoreError('ERR_STORE_WRITE', `Cannot write the stores in ${folder}: ${String(cause)}`, {
          cause,
          hint: 'free space on the disk, or check the disk; committed state is in the changelogs, so the folder may be deleted',
        });
      }
    },
    close: () => (closing ??= close()),
  };
}
