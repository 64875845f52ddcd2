import { assert as check, constantFrom, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskSpec } from '../../log/transport.ts';
import { GroupLeader } from './group-leader.ts';
import { decodeAssignment, decodeMember, encodeAssignment, encodeMember, type MemberInfo } from './group-protocol.ts';
import { decodeOldAssignment, decodeOldMember, encodeOldAssignment, encodeOldMember } from './group-protocol-1.ts';
import { MemberCard } from './member-card.ts';

/** What the coordinator writes of a member besides what it says: its ids, its host, lengths. */
const MEMBER_BYTES = 200;
/** The broker's `max.message.bytes`, as it comes. */
const LIMIT_BYTES = 1_048_588;

const tasksOf = (stages: number, partitions: number, name = 'orders-by-customer'): TaskSpec[] =>
  Array.from({ length: stages * partitions }, (_, n) => {
    const [stage, partition] = [`${name}-${Math.floor(n / partitions)}`, n % partitions];
    return { id: `${stage}/${partition}`, partitions: [{ topic: stage, partition }] };
  });

interface Simulated {
  readonly card: MemberCard;
  owned: readonly string[];
  generation: number;
  ids: readonly string[];
}

/** Lets a group join until nothing changes. @returns The bytes of its largest generation. */
function settle(tasks: readonly TaskSpec[], count: number, exactlyOnce: boolean) {
  const members = new Map<string, Simulated>(
    Array.from({ length: count }, (_, n) => {
      const id = exactlyOnce ? `app-${crypto.randomUUID()}` : null;
      return [`millrace-${n}`, { card: new MemberCard(tasks, id), owned: [], generation: 0, ids: [] }];
    }),
  );
  const first = members.get('millrace-0')!;
  const leader = new GroupLeader(tasks, first.card.digest);
  let most = 0;
  for (let generation = 1, again = true; again && generation < 10; generation++) {
    again = false;
    let bytes = count * MEMBER_BYTES;
    const infos = new Map<string, MemberInfo>();
    for (const [id, { card, generation: since, ids, owned }] of members) {
      const encoded = encodeMember(card.info(owned, since, ids));
      bytes += encoded.length;
      infos.set(id, decodeMember(encoded));
    }
    const { assignments, covered, partitions } = leader.share(infos);
    for (const [id, assignment] of assignments) {
      const encoded = encodeAssignment(assignment, partitions(assignment.tasks));
      bytes += encoded.length;
      const { tasks: given, tell, transactionalIds } = decodeAssignment(encoded);
      const member = members.get(id)!;
      again ||= member.owned.length !== given.length || tell;
      Object.assign(member, { owned: given, generation, ids: transactionalIds });
      member.card.tell = tell;
    }
    if (!covered) again = first.card.listAll = true;
    most = Math.max(most, bytes);
  }
  return { most, owned: [...members.values()].map(({ owned }) => owned) };
}

describe('what a group says of itself', () => {
  it('stays below the limit of a record with 10,000 tasks on 100 members', { timeout: 120_000 }, () => {
    check(
      property(constantFrom(1, 10, 100, 1000, 10_000), constantFrom(true, false), (stages, exactlyOnce) => {
        const { most, owned } = settle(tasksOf(stages, 10_000 / stages), 100, exactlyOnce);
        expect(most).toBeLessThan(LIMIT_BYTES);
        expect(new Set(owned.flat()).size).toBe(10_000);
        expect(owned.every(({ length }) => length === 100)).toBe(true);
      }),
      { numRuns: 2, examples: [[10_000, true]] },
    );
  });

  it('is the same after it was read again, also in the form of before', () => {
    const card = new MemberCard(tasksOf(3, 7), 'app-1');
    const owned = ['orders-by-customer-0/2', 'orders-by-customer-0/3', 'orders-by-customer-2/6', 'odd', 'odd/01'];
    const info = card.info(owned, 8, ['app-1', 'app-2']);
    expect(decodeMember(encodeMember(info))).toEqual(info);
    expect(decodeOldMember(encodeOldMember(card.whole(info)))).toEqual(card.whole(info));
    const assignment = { tasks: owned, transactionalIds: ['app-1'], tell: false };
    for (const places of [[], [{ topic: 'orders', partition: 3 }]]) {
      expect(decodeAssignment(encodeAssignment({ ...assignment, tell: true }, places))).toEqual({
        ...assignment,
        tell: true,
      });
      expect(decodeOldAssignment(encodeOldAssignment(assignment, places))).toEqual(assignment);
    }
  });

  it('lets a member with other tasks keep what it has until it has told them', () => {
    const leader = new GroupLeader(tasksOf(1, 4), new MemberCard(tasksOf(1, 4), null).digest);
    const mine = new MemberCard(tasksOf(1, 4), null).info([], 0, []);
    // So many tasks that the list is told when asked for only.
    const other = new MemberCard(tasksOf(200, 2, 'others'), null);
    const kept = other.info(['others-7/1'], 1, []);
    expect(kept.known).toBeUndefined();
    const before = leader.share(
      new Map([
        ['a', mine],
        ['b', kept],
      ]),
    );
    expect(before.assignments.get('b')).toEqual({ tasks: ['others-7/1'], transactionalIds: [], tell: true });
    other.tell = true;
    const after = leader.share(
      new Map([
        ['a', mine],
        ['b', other.info(['others-7/1'], 2, [])],
      ]),
    );
    expect(after.assignments.get('b')?.tasks).toHaveLength(400);
    expect(after.assignments.get('b')?.tell).toBe(false);
  });
});
