import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { StoreBackend } from '../../state/byte-store.ts';
import { Catalog } from './catalog.ts';
import { DATA_FILE, openDatabases } from './lmdb.ts';
import { LmdbStores } from './store-backend.ts';

/** Stores in a folder of their own. @public */
export interface LmdbStoreFolder extends StoreBackend {
  /** Closes the files; the stores must not be used after that. */
  close(): Promise<void>;
}

/**
 * Stores on LMDB without a log, for tests that want real storage below a pipeline. `apply` is atomic and survives the end of
 * the process; it does not wait for the disk.
 *
 * @param path - A folder; made if it is missing. One process at a time.
 * @public
 */
export async function lmdbStores(path: string): Promise<LmdbStoreFolder> {
  mkdirSync(path, { recursive: true, mode: 0o750 });
  const db = await openDatabases(join(path, DATA_FILE), { noSync: true });
  const stores = new LmdbStores(db, new Catalog(db));
  return {
    open: (id) => stores.open(id),
    list: (applicationId) => stores.list(applicationId),
    apply: (writes) => stores.apply(writes),
    close: () => db.root.close(),
  };
}
