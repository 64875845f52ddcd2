import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { lmdbStores } from 'millrace/embedded';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDue, checkTimed, scripts } from '../../src/state/ordered-stores.fixtures.ts';

describe('stores that are ordered, on LMDB', () => {
  let path: string;
  let stores: Awaited<ReturnType<typeof lmdbStores>>;
  let next = 0;
  beforeAll(async () => {
    path = mkdtempSync(join(tmpdir(), 'millrace-ordered-'));
    stores = await lmdbStores(path);
  });
  afterAll(async () => {
    await stores.close();
    rmSync(path, { recursive: true });
  });

  for (const [name, check] of [
    ['by key and time', checkTimed],
    ['by time and key', checkDue],
  ] as const) {
    it(`${name} are sorted lists, whatever is committed, evicted and reopened`, () => {
      fc.assert(
        fc.property(fc.constantFrom(0, 2, 1000), scripts, (cacheEntries, script) => {
          check(stores, { applicationId: 'app', store: `s${next++}`, partition: 0 }, cacheEntries, script);
        }),
        { numRuns: 40 },
      );
      expect(next).toBeGreaterThan(0);
    });
  }
});
