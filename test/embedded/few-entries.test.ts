import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { Catalog } from '../../src/transports/embedded/catalog.ts';
import { DATA_FILE, openDatabases } from '../../src/transports/embedded/lmdb.ts';
import { LmdbStores } from '../../src/transports/embedded/store-backend.ts';

it('reads a few entries for whoever takes the first one, and many at once for whoever takes all', async () => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-entries-'));
  const db = await openDatabases(join(path, DATA_FILE), { noSync: true });
  try {
    const stores = new LmdbStores(db, new Catalog(db));
    const id = { applicationId: 'app', store: 'rows', partition: 0 };
    const count = 2_000;
    const keys = Array.from({ length: count }, (_, n) => Uint8Array.of(n >> 8, n & 255));
    stores.apply([{ id, keys, values: keys }]);
    const store = stores.open(id);
    const reads = vi.spyOn(db.state, 'getRange');
    expect(store.range(keys[7]).next().value).toEqual([keys[7], keys[7]]);
    expect(reads.mock.calls.map(([bounds]) => bounds?.limit)).toEqual([4]);
    reads.mockClear();
    expect(Array.from(store.range(), ([key]) => key)).toEqual(keys);
    expect(Array.from(store.range(keys[3], keys[1_500]), ([key]) => key)).toEqual(keys.slice(3, 1_500));
    expect(reads.mock.calls.length).toBeLessThan(25);
  } finally {
    await db.root.close();
    rmSync(path, { recursive: true });
  }
});
