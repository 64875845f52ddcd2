import {
  array,
  assert as check,
  constantFrom,
  nat,
  property,
  record,
  shuffledSubarray,
  tuple,
  uniqueArray,
} from 'fast-check';
import { describe, expect, it } from 'vitest';
import { abandonedBy, type Candidate, shareTasks } from './share-tasks.ts';

const TASKS = ['a/0', 'a/1', 'a/2', 'a/3', 'b/0', 'b/1', 'b/2'] as const;
const MEMBERS = ['m0', 'm1', 'm2', 'm3'] as const;

/** Members with what they have; of tasks that two have, one has them of an older generation. */
const candidates = uniqueArray(
  record({ memberId: constantFrom(...MEMBERS), owned: shuffledSubarray([...TASKS]), generation: nat(5) }),
  { selector: ({ memberId }) => memberId, minLength: 1 },
).map((members): Candidate[] =>
  members.map((member) => ({ ...member, known: TASKS, transactionalId: null, transactionalIds: [] })),
);

/** What becomes of a group when its members do what they are told, until nothing changes any more. */
function settle(start: readonly Candidate[]): { readonly members: readonly Candidate[]; readonly rounds: number } {
  let members = start;
  for (let rounds = 1; ; rounds++) {
    const shares = shareTasks(members);
    const next = members.map((member) => ({
      ...member,
      owned: shares.get(member.memberId) ?? [],
      generation: 10 + rounds,
    }));
    const gaveUp = members.some(({ memberId, owned }) => owned.some((task) => !shares.get(memberId)?.includes(task)));
    if (!gaveUp || rounds > 10) return { members: next, rounds };
    members = next;
  }
}

describe('sharing tasks', () => {
  it('never gives a task to two, nor to one while another has it', () => {
    check(
      property(candidates, (members) => {
        const shares = shareTasks(members);
        const given = [...shares.values()].flat();
        expect(new Set(given).size).toBe(given.length);
        for (const [memberId, tasks] of shares) {
          for (const task of tasks) {
            const owners = members.filter(({ owned }) => owned.includes(task));
            const newest = Math.max(...owners.map(({ generation }) => generation));
            const rivals = owners.filter(({ generation }) => generation === newest);
            if (owners.length > 0) expect(rivals.map((rival) => rival.memberId)).toContain(memberId);
          }
        }
      }),
    );
  });

  it('ends after few rounds with all tasks shared evenly', () => {
    check(
      property(candidates, (start) => {
        const { members, rounds } = settle(start);
        const sizes = members.map(({ owned }) => owned.length);
        expect(members.flatMap(({ owned }) => owned).sort()).toEqual([...TASKS].sort());
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(rounds).toBeLessThanOrEqual(3);
      }),
    );
  });

  it('does not depend on the order of the members, and leaves everything where it is when it is even', () => {
    check(
      property(tuple(candidates, array(nat(), { minLength: 4, maxLength: 4 })), ([start, order]) => {
        const { members } = settle(start);
        const mixed = members.map((member, i) => ({ member, at: order[i] ?? 0 })).sort((a, b) => a.at - b.at);
        const shares = shareTasks(mixed.map(({ member }) => member));
        for (const { memberId, owned } of members) expect([...(shares.get(memberId) ?? [])]).toEqual([...owned].sort());
      }),
    );
  });
});

describe('transactions of members that are gone', () => {
  const member = (memberId: string, transactionalIds: readonly string[]): Candidate => {
    return { memberId, known: [], owned: [], generation: 0, transactionalId: `id-${memberId}`, transactionalIds };
  };

  it('are known to whoever leads, also to one that is new', () => {
    const stays = member('a', ['id-a', 'id-b']);
    const comes = member('c', []);
    expect(abandonedBy([stays, comes])).toEqual(['id-b']);
    expect(abandonedBy([comes, stays])).toEqual(['id-b']);
  });

  it('are none while everybody is there', () => {
    expect(abandonedBy([member('a', ['id-a', 'id-b']), member('b', ['id-a', 'id-b'])])).toEqual([]);
  });
});
