import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changelogTopic } from './changelog.ts';
import { STORES, World } from './changelog-commits.fixtures.ts';

const entries = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(fc.constantFrom('1', '2', '3')), {
  maxKeys: 4,
  noNullPrototype: true,
});
const changes = fc.record({ rows: entries, index: entries, sums: entries });
const NOTHING = { rows: {}, index: {}, sums: {} };
const local = fc.constantFrom('kept' as const, 'lost' as const);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('commit' as const), changes, moves: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('tear' as const),
      changes,
      parts: fc.array(fc.constantFrom(0, 0.3, 0.6, 0.999), { minLength: 3, maxLength: 3 }),
      late: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
      slow: fc.boolean(),
      isBack: fc.boolean(),
      local,
      moves: fc.boolean(),
      never: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('restart' as const),
      changes,
      local,
      moves: fc.boolean(),
      forgets: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('update' as const), changes, local }) },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('grow' as const),
      local,
      parts: fc.array(fc.constantFrom(0, 0.999), { minLength: 3, maxLength: 3 }),
      never: fc.nat(5),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('compact' as const), store: fc.constantFrom(...STORES) }) },
);

it('restores all stores of a task to the same commit, whatever a crash has left of later ones', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 14 }),
      fc.integer({ min: 1, max: 9 }),
      fc.record({ isOld: fc.boolean(), grows: fc.boolean() }),
      async (steps, fetches, { grows, isOld }) => {
        const world = new World();
        // A static member that comes back is told from the one before it by what that has written.
        let hasWritten = false;
        const start = async (where: 'kept' | 'lost', isBack = false): Promise<void> => {
          const { found, wanted } = await world.start(where, isBack && hasWritten);
          hasWritten = false;
          expect(found).toEqual(wanted);
        };
        world.disk.fetches = fetches;
        world.isOld = isOld;
        if (grows) world.stores = ['rows', 'index'];
        await start('lost');
        // Compaction leaves the newest segment alone: here everything after the last complete commit, and what has arrived
        // late and has not been seen by a restore. One that goes on from a local store may not see it.
        let compactable = false;
        let unseen = false;
        for (const each of steps) {
          if (each.does === 'commit') {
            unseen ||= world.awaits;
            world.commit({ ...each, offsets: true });
            compactable = !unseen;
            hasWritten = true;
          } else if (each.does === 'tear' && world.isOld) {
            world.commit({ ...each, offsets: true });
            hasWritten = true;
          } else if (each.does === 'tear') {
            world.tear(each);
            compactable = false;
            unseen = each.late.includes(true) || (unseen && each.local === 'kept');
            await start(each.local, each.isBack);
          } else if (each.does === 'restart') {
            // Killed between the changelogs and the offsets.
            unseen ||= world.awaits;
            world.commit({ ...each, offsets: false });
            if (each.forgets) world.forgetGroup();
            await start(each.local);
            compactable = false;
            unseen &&= each.local === 'kept';
          } else if (each.does === 'update') {
            if (!world.isOld) continue;
            world.isOld = false;
            await start(each.local);
            // What an update leaves of its very first commit counts, as it did before.
            unseen ||= world.awaits;
            world.commit({ changes: each.changes, moves: true, offsets: true });
            hasWritten = true;
          } else if (each.does === 'grow') {
            if (world.stores === STORES || world.isOld) continue;
            world.stores = STORES;
            await start(each.local);
            // The positions of a store that is new are committed before the first record, and that may be torn, too.
            if (each.never < 3) {
              world.tear({ ...each, changes: NOTHING, late: [false], slow: false, moves: false });
              await start(each.local);
            }
            unseen ||= world.awaits;
            world.commit({ changes: NOTHING, moves: false, offsets: true });
            hasWritten = true;
            compactable = !unseen;
          } else if (compactable) world.disk.compact(changelogTopic('app', each.store));
        }
        await start('kept');
        await start('lost');
      },
    ),
    { numRuns: 500 },
  );
}, 180_000);
