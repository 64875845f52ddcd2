import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '../../errors.ts';
import type { ReadableStores } from '../../state/byte-store.ts';
import { Catalog } from './catalog.ts';
import { explain } from './folder.ts';
import { DATA_FILE, openDatabases } from './lmdb.ts';
import { NOTE, type Note } from './local-stores.ts';
import { isSame, lookOf, MAX_PAGES } from './preflight.ts';
import { LmdbStores } from './store-backend.ts';
import { checkStructure } from './survey.ts';

/** A file can look damaged while a process is writing it, so it is checked several times. */
const LOOKS = 5;

/** Read access to the stores that processes of an application keep on this machine: one for each of their folders. */
export interface LocalStoresReader {
  readonly folders: readonly ReadableStores[];
  close(): Promise<void>;
}

/**
 * Opens what {@link localStores} has written below a folder, whether its processes run or not.
 *
 * @throws StoreError `ERR_NO_LOG` if there are no stores; `ERR_CORRUPT_LOG` for a file that must not be opened
 */
export async function readLocalStores(path: string, applicationId: string): Promise<LocalStoresReader> {
  const parent = join(path, encodeURIComponent(applicationId));
  const names = existsSync(parent)
    ? readdirSync(parent).filter((name) => existsSync(join(parent, name, DATA_FILE)))
    : [];
  if (names.length === 0) {
    throw new StoreError('ERR_NO_LOG', `There are no stores of application ${applicationId} in ${path}`, {
      hint: 'give the folder that it runs with: stateDir, --state-dir',
    });
  }
  const opened: Awaited<ReturnType<typeof openFolder>>[] = [];
  const close = async (): Promise<void> => {
    for (const each of opened) await each.close();
  };
  try {
    for (const name of names) opened.push(await openFolder(join(parent, name), applicationId));
  } catch (error) {
    await close();
    throw explain(parent, error);
  }
  return { folders: opened.map(({ stores }) => stores), close };
}

async function openFolder(
  folder: string,
  applicationId: string,
): Promise<{ readonly stores: ReadableStores; close(): Promise<void> }> {
  if (!isSound(folder)) {
    throw new StoreError('ERR_CORRUPT_LOG', `The stores in ${folder} are damaged, or were not closed`, {
      hint: 'the changelogs have all of them: read these (--brokers without --state-dir)',
    });
  }
  const db = await openDatabases(join(folder, DATA_FILE), { readOnly: true });
  const stores = new LmdbStores(db, new Catalog(db));
  return {
    stores: { open: (id) => stores.open(id), list: () => stores.list(applicationId) },
    close: () => db.root.close(),
  };
}

function isSound(folder: string): boolean {
  try {
    const { closed } = JSON.parse(readFileSync(join(folder, NOTE), 'utf8')) as Note;
    if (closed !== null && isSame(closed, lookOf(folder))) return true;
  } catch {
    return false;
  }
  for (let look = 0; look < LOOKS; look += 1) if (checkStructure(folder, MAX_PAGES).length === 0) return true;
  return false;
}
