import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { lmdbStores } from 'millrace/embedded';
import { expect, it } from 'vitest';
import { bothOutcomes, pacingCase, turns } from '../../src/operators/pacing.fixtures.ts';

it('steps that let records pass in their time agree with naive models on LMDB', async () => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-pacing-'));
  const stores = await lmdbStores(path);
  let next = 0;
  try {
    fc.assert(
      fc.property(pacingCase, turns, (given, records) => {
        const options = { stores, applicationId: `app-${next++}`, cacheEntries: next % 2 };
        const { model, step } = bothOutcomes(given, records, options);
        expect(step, given.name).toEqual(model);
      }),
      { numRuns: 60 },
    );
  } finally {
    await stores.close();
    rmSync(path, { recursive: true });
  }
});
