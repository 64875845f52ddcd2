import { describe, expect, it, vi } from 'vitest';
import type { GroupOptions, TaskSession } from '../../log/transport.ts';
import { type GroupSeat, LocalGroups } from './groups.ts';

function options(name: string, log: string[], overrides: Partial<GroupOptions> = {}): GroupOptions {
  return {
    groupId: 'g',
    tasks: ['a', 'b'].map((id) => ({ id, partitions: [] })),
    onAssigned: async (tasks, generation) => void log.push(`${name} got ${tasks.join()} in ${generation}`),
    onRevoked: async (tasks, lost) => void log.push(`${name} ${lost ? 'lost' : 'gave'} ${tasks.join()}`),
    onError: (error) => log.push(`${name} failed: ${error.message}`),
    ...overrides,
  };
}

/** The seat of a new member; it has no session. */
function join(groups: LocalGroups, member: GroupOptions): GroupSeat {
  const seats: GroupSeat[] = [];
  groups.join(member, (seat) => {
    seats.push(seat);
    return {} as TaskSession;
  });
  return seats[0] as GroupSeat;
}

describe('LocalGroups', () => {
  it('tells a member that waits for nobody of its tasks, and its session, before join returns', () => {
    const log: string[] = [];
    const session = { generation: 7 } as TaskSession;
    const onAssigned: GroupOptions['onAssigned'] = (tasks, generation, given) => {
      log.push(`got ${tasks.join()} in ${generation} with ${given === session}`);
    };
    expect(new LocalGroups().join(options('x', log, { onAssigned }), () => session)).toBe(session);
    expect(log).toEqual(['got a,b in 1 with true']);
  });

  it('waits for commits before a task goes on', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    const x = join(groups, options('x', log));
    await vi.waitFor(() => expect(x.generation).toBe(1));
    let done: () => void = () => undefined;
    x.track(new Promise<void>((resolve) => (done = resolve)));
    join(groups, options('y', log));
    await vi.waitFor(() => expect(log).toContain('x gave b'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(log.some((line) => line.startsWith('y got'))).toBe(false);
    done();
    await vi.waitFor(() => expect(log).toContain('y got b in 2'));
  });

  it('expels members: their work is refused at once, and they start over', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    const x = join(groups, options('x', log));
    await vi.waitFor(() => expect(x.generation).toBe(1));
    x.check(1);
    groups.expel('g');
    expect(() => x.check(1)).toThrow(/generation 1/);
    await vi.waitFor(() => expect(x.generation).toBe(2));
    expect(log.slice(1)).toEqual(['x lost a,b', 'x got a,b in 2']);
    x.check(2);
    expect(() => x.check(1)).toThrow(/generation 1/);
  });

  it('accepts work of an earlier generation from a member that has lost nothing since', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    const one = [{ id: 'a', partitions: [] }];
    const x = join(groups, options('x', log, { tasks: one }));
    await vi.waitFor(() => expect(x.generation).toBe(1));
    join(groups, options('y', log, { tasks: one }));
    await vi.waitFor(() => expect(x.generation).toBe(2));
    x.check(1);
  });

  it('settles when members come and go while others give tasks back', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    let release: () => void = () => undefined;
    const giving = new Promise<void>((resolve) => (release = resolve));
    const x = join(groups, options('x', log, { onRevoked: () => giving }));
    await vi.waitFor(() => expect(x.generation).toBe(1));
    const y = join(groups, options('y', log));
    await new Promise((resolve) => setTimeout(resolve, 5));
    y.leave();
    const z = join(groups, options('z', log));
    release();
    await vi.waitFor(() => expect(log.some((line) => line.startsWith('z got b'))).toBe(true));
    expect(log.some((line) => line.startsWith('y got'))).toBe(false);
    x.leave();
    await vi.waitFor(() => expect(log.at(-1)).toMatch(/^z got a /));
    z.leave();
    expect(groups.hasMembers('g')).toBe(false);
    expect(groups.active()).toEqual([]);
  });
});
