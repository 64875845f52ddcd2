import { describe, expect, it, vi } from 'vitest';
import type { GroupOptions } from '../../log/transport.ts';
import { LocalGroups } from './groups.ts';

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

describe('LocalGroups', () => {
  it('lets the caller of join go on before the first callback', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    groups.join(options('x', log));
    log.push('joined');
    await vi.waitFor(() => expect(log).toEqual(['joined', 'x got a,b in 1']));
  });

  it('waits for commits before a task goes on', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    const x = groups.join(options('x', log));
    await vi.waitFor(() => expect(x.generation).toBe(1));
    let done: () => void = () => undefined;
    x.track(new Promise<void>((resolve) => (done = resolve)));
    groups.join(options('y', log));
    await vi.waitFor(() => expect(log).toContain('x gave b'));
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(log.some((line) => line.startsWith('y got'))).toBe(false);
    done();
    await vi.waitFor(() => expect(log).toContain('y got b in 2'));
  });

  it('expels members: their work is refused at once, and they begin anew', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    const x = groups.join(options('x', log));
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
    const x = groups.join(options('x', log, { tasks: one }));
    await vi.waitFor(() => expect(x.generation).toBe(1));
    groups.join(options('y', log, { tasks: one }));
    await vi.waitFor(() => expect(x.generation).toBe(2));
    x.check(1);
  });

  it('settles when members come and go while others give tasks back', async () => {
    const log: string[] = [];
    const groups = new LocalGroups();
    let release: () => void = () => undefined;
    const giving = new Promise<void>((resolve) => (release = resolve));
    const x = groups.join(options('x', log, { onRevoked: () => giving }));
    await vi.waitFor(() => expect(x.generation).toBe(1));
    const y = groups.join(options('y', log));
    await new Promise((resolve) => setTimeout(resolve, 5));
    y.leave();
    const z = groups.join(options('z', log));
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
