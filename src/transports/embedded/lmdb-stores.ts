import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { LocalStores } from '../../state/byte-store.ts';
import { Catalog } from './catalog.ts';
import { DATA_FILE, flushToDisk, openDatabases } from './lmdb.ts';
import { LmdbStores } from './store-backend.ts';

/**
 * Stores on LMDB without a log, for tests that need real storage below a pipeline. `apply` is atomic and survives the
 * end of the process; it does not wait for the disk, but `close` does.
 *
 * @param path - A folder, created if missing, for one process at a time.
 * @public
 */
export async function lmdbStores(path: string): Promise<LocalStores> {
  mkdirSync(path, { recursive: true, mode: 0o750 });
  const db = await openDatabases(join(path, DATA_FILE), { noSync: true });
  const stores = new LmdbStores(db, new Catalog(db));
  return {
    open: (id) => stores.open(id),
    list: (applicationId) => stores.list(applicationId),
    check: (writes) => stores.check(writes),
    apply: (writes) => stores.apply(writes),
    close: async () => {
      await flushToDisk(db);
      await db.root.close();
    },
  };
}
