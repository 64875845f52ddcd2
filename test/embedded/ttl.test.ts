import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { lmdbStores } from 'millrace/embedded';
import { expect, it } from 'vitest';
import { ttlOutcomes, ttlRecord } from '../../src/tables/ttl.fixtures.ts';

it('rows end on LMDB as a model says, over restarts at any record', async () => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-ttl-'));
  const stores = await lmdbStores(path);
  let next = 0;
  try {
    fc.assert(
      fc.property(fc.array(ttlRecord, { maxLength: 30 }), fc.array(fc.nat({ max: 30 })), (records, restarts) => {
        const options = { stores, applicationId: `app-${next++}`, cacheEntries: next % 2 };
        const { told, wanted } = ttlOutcomes(records, restarts, options);
        expect(told).toEqual(wanted);
      }),
      { numRuns: 60 },
    );
  } finally {
    await stores.close();
    rmSync(path, { recursive: true });
  }
});
