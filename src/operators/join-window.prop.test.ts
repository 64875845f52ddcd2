import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bothOutcomes, joinCase } from './join-window.fixtures.ts';

it('joinWindow gives every pair of every window, as a naive model does, in any order, turns and restarts', () => {
  fc.assert(
    fc.property(joinCase, fc.constantFrom(0, 1, 1000), (given, cacheEntries) => {
      const { join, model } = bothOutcomes(given, { cacheEntries });
      expect(join).toEqual(model);
    }),
    { numRuns: 1000 },
  );
}, 180_000);
