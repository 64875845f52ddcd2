import { expect, it } from 'vitest';
import type { GroupOptions } from '../../log/transport.ts';
import { inOneLife, isEarlier } from '../../protocol/epoch.ts';
import { fakeCluster } from './fake-cluster.fixtures.ts';
import { GroupCoordinator } from './group-coordinator.ts';
import { GroupMemories } from './group-memory.ts';
import { encodeMember, PROTOCOL_NAME } from './group-protocol.ts';
import { MemberCard } from './member-card.ts';

const tasks = [0, 1].map((partition) => ({ id: `in/${partition}`, partitions: [{ topic: 'in', partition }] }));
const options = { groupId: 'group', tasks } as unknown as GroupOptions;

interface Question {
  readonly transactionalId: string;
  readonly protocols: readonly { readonly metadata: Uint8Array }[];
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
}

/** A coordinator that takes whoever joins, named `me`, for the leader, beside others that are told. */
function groupOf(others: ReadonlyMap<string, Uint8Array>, refusals: string[] = [], open: readonly string[] = []) {
  const ended: string[] = [];
  let generation = 0;
  const cluster = fakeCluster((name, { assignments, protocols, transactionalId }: Question) => {
    if (name === 'JoinGroup') {
      const members = [['me', protocols[0]?.metadata] as const, ...others].map(([memberId, metadata]) => ({
        memberId,
        metadata,
      }));
      generation += 1;
      return { errorCode: 0, generation, protocol: PROTOCOL_NAME, leader: 'me', memberId: 'me', members };
    }
    if (name === 'SyncGroup')
      return { errorCode: 0, assignment: assignments.find(({ memberId }) => memberId === 'me')?.assignment };
    if (name === 'ListTransactions') return { errorCode: 0, transactionalIds: open };
    if (refusals[0] === transactionalId) {
      refusals.shift();
      return { errorCode: 87 };
    }
    ended.push(transactionalId);
    return { errorCode: 0, producerId: 1n, producerEpoch: 0 };
  });
  return { cluster: Object.assign(cluster, { nodeIds: [1] }), ended };
}

it('ends the transactions of members that went while this process began another session', async () => {
  const other = encodeMember(new MemberCard(tasks, 'other').info([], 0, []));
  const others = new Map([['other', other]]);
  const { cluster, ended } = groupOf(others);
  const memories = new GroupMemories();
  const first = await new GroupCoordinator(cluster, options, 'mine-1', memories.of('group')).join();
  expect(ended).toEqual([]);
  // The other one is gone; this one has rebuilt its tasks.
  others.clear();
  const second = await new GroupCoordinator(cluster, options, 'mine-2', memories.of('group')).join();
  expect([...ended].sort()).toEqual(['mine-1', 'other']);
  expect(second.tasks).toEqual(new Set(['in/0', 'in/1']));
  expect([inOneLife(first.epoch, second.epoch), isEarlier(first.epoch, second.epoch)]).toEqual([true, true]);
  // Once is enough.
  await new GroupCoordinator(cluster, options, 'mine-2', memories.of('group')).join();
  expect(ended).toHaveLength(2);
});

it('ends those of members that came and went while all of these were away', async () => {
  const name = '0b0c1b1e-7d1f-4c0e-9a43-5f7d0a8f1c11';
  const open = [`group-${name}`, 'group-mine', `group-2-${name}`, `other-${name}`];
  const { cluster, ended } = groupOf(new Map(), [], open);
  const memory = new GroupMemories().of('group');
  await new GroupCoordinator(cluster, options, 'mine', memory).join();
  expect(ended).toEqual([`group-${name}`]);
  // Who has been in the generation before knows all.
  await new GroupCoordinator(cluster, options, 'mine', memory).join();
  expect(ended).toHaveLength(1);
  await new GroupCoordinator(cluster, options, null, new GroupMemories().of('group')).join();
  expect(ended, 'nobody has transactions').toHaveLength(1);
});

it('remembers whose transaction could not be ended', async () => {
  const others = new Map([['other', encodeMember(new MemberCard(tasks, 'other').info([], 0, []))]]);
  const { cluster, ended } = groupOf(others, ['other']);
  const memory = new GroupMemories().of('group');
  const member = new GroupCoordinator(cluster, options, 'mine', memory);
  await member.join();
  others.clear();
  await member.join();
  expect(ended, 'refused for good').toEqual([]);
  await member.join();
  expect(ended).toEqual(['other']);
});

it('does not join after it has left, when the coordinator is found only then', async () => {
  const asked: string[] = [];
  let found: (node: number) => void = () => undefined;
  const cluster = Object.assign(
    fakeCluster((name) => {
      asked.push(name);
      return { errorCode: 0 };
    }),
    { coordinator: () => new Promise<number>((resolve) => (found = resolve)) },
  );
  const member = new GroupCoordinator(cluster, options, 'mine', new GroupMemories().of('group'));
  const joining = member.join().catch(() => 'not joined');
  await member.leave();
  found(1);
  expect(await joining).toBe('not joined');
  expect(asked).toEqual([]);
});

it('keeps the tasks of a member with a name when it goes, and gives those of others back', async () => {
  for (const instanceId of [null, 'one']) {
    const { cluster } = groupOf(new Map());
    Object.assign(cluster, { settings: { ...cluster.settings, instanceId } });
    const asked: string[] = [];
    const { request } = cluster;
    Object.assign(cluster, {
      request: (...args: Parameters<typeof request>) => {
        asked.push(args[2].name);
        return request.apply(cluster, args as never);
      },
    });
    const member = new GroupCoordinator(cluster, options, null, new GroupMemories().of('group'));
    await member.join();
    await member.leave();
    expect(asked).toEqual(['JoinGroup', 'SyncGroup', ...(instanceId === null ? ['LeaveGroup'] : [])]);
  }
});
