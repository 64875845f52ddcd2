import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ttlOutcomes, ttlRecord } from './ttl.fixtures.ts';

it('tables and aggregates with ttl tell what a model tells that looks at all rows each time, over restarts', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, 1000),
      fc.array(ttlRecord, { maxLength: 14 }),
      fc.array(fc.nat({ max: 14 }), { maxLength: 3 }),
      (cacheEntries, records, restarts) => {
        const { told, wanted } = ttlOutcomes(records, restarts, { cacheEntries });
        expect(told).toEqual(wanted);
      },
    ),
    { numRuns: 1000 },
  );
});
