import { array, assert, integer, nat, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignTasks } from './assign-tasks.ts';

interface Member {
  readonly known: ReadonlySet<string>;
  tasks: ReadonlySet<string>;
}

const ids = (count: number): Set<string> => new Set(Array.from({ length: count }, (_, i) => `s/${i}`));

describe('assignTasks', () => {
  it('gives each task to one member that knows it, evenly, and moves no more than it must', () => {
    assert(
      property(array(nat(3), { minLength: 1, maxLength: 12 }), integer({ min: 0, max: 20 }), (changes, tasks) => {
        const members: Member[] = [];
        for (const change of changes) {
          // Mostly joins, sometimes a leave.
          if (change === 0 && members.length > 1) members.splice(0, 1);
          else members.push({ known: ids(tasks), tasks: new Set() });
          const before = new Map(members.flatMap((member) => [...member.tasks].map((id) => [id, member] as const)));
          const shares = assignTasks(members);
          const all = [...shares.values()].flatMap((share) => [...share]);
          expect(all.sort()).toEqual([...ids(tasks)].sort());
          const sizes = [...shares.values()].map((share) => share.size);
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
          // A member gives something away only down to a fair share.
          for (const member of members) {
            const lost = [...member.tasks].filter((id) => !shares.get(member)!.has(id));
            if (lost.length > 0)
              expect(shares.get(member)!.size).toBeGreaterThanOrEqual(Math.floor(tasks / members.length));
            expect([...before].filter(([id, owner]) => owner === member && shares.get(member)!.has(id)).length).toBe(
              member.tasks.size - lost.length,
            );
          }
          for (const member of members) member.tasks = shares.get(member)!;
        }
      }),
    );
  });

  it('gives a task only to a member that knows it', () => {
    const old: Member = { known: ids(2), tasks: new Set() };
    const grown: Member = { known: ids(4), tasks: new Set() };
    const shares = assignTasks([old, grown]);
    expect([...shares.get(old)!].every((id) => old.known.has(id))).toBe(true);
    expect(shares.get(old)!.size + shares.get(grown)!.size).toBe(4);
  });
});
