import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { lmdbStores } from 'millrace/embedded';
import { expect, it } from 'vitest';
import { bothOutcomes, joinCase } from '../../src/operators/join-window.fixtures.ts';

it('joins in windows agree with a naive model on LMDB', async () => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-join-window-'));
  const stores = await lmdbStores(path);
  let next = 0;
  try {
    fc.assert(
      fc.property(joinCase, (given) => {
        const options = { stores, applicationId: `app-${next++}`, cacheEntries: next % 2 };
        const outcome = bothOutcomes(given, options);
        expect(outcome.join).toEqual(outcome.model);
      }),
      { numRuns: 60 },
    );
  } finally {
    await stores.close();
    rmSync(path, { recursive: true });
  }
});
