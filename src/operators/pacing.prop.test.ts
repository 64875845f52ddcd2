import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bothOutcomes, pacingCase, turns } from './pacing.fixtures.ts';

it('dedupe, throttleByKey, debounceByKey and batch agree with naive models, in any order, turns and restarts', () => {
  fc.assert(
    fc.property(pacingCase, turns, fc.constantFrom(0, 1, 1000), (given, records, cacheEntries) => {
      const { model, step } = bothOutcomes(given, records, { cacheEntries });
      expect(step, given.name).toEqual(model);
    }),
    { numRuns: 1000 },
  );
}, 180_000);
