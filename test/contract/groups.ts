import { describe, expect, it } from 'vitest';
import { useLog } from './scope.ts';
import { batch, failure, join, type TestLog, unique, until, values } from './support.ts';

/** Group offsets and membership. */
export function groupContract(openLog: () => Promise<TestLog>, exclusiveGroups: boolean): void {
  describe('committed offsets', () => {
    const scope = useLog(openLog);

    it('are absent at first, can be set from outside, and keep their metadata', async () => {
      const { transport } = scope;
      const [group, topic] = [unique('g'), unique('t')];
      await transport.topics.create(topic, { partitions: 2 });
      const both = [0, 1].map((partition) => ({ topic, partition }));
      expect(await transport.committed(group, both)).toEqual([]);
      await transport.setCommitted(group, [{ topic, partition: 1, offset: 7, metadata: 'time=5' }]);
      expect(await transport.committed(group, both)).toEqual([{ topic, partition: 1, offset: 7, metadata: 'time=5' }]);
      await transport.setCommitted(group, [{ topic, partition: 1, offset: 3 }]);
      expect(await transport.committed(group, both)).toMatchObject([{ topic, partition: 1, offset: 3 }]);
      expect(await transport.committed(unique('other'), both)).toEqual([]);
    });

    it('cannot be set while the group has members', async () => {
      const { transport } = scope;
      const [group, topic] = [unique('g'), unique('t')];
      await transport.topics.create(topic);
      const { session, tasks } = await join(transport, group, topic, 1);
      await until('the task', () => tasks.size === 1);
      await failure('ERR_GROUP_ACTIVE', transport.setCommitted(group, [{ topic, partition: 0, offset: 1 }]));
      await session.leave();
      await transport.setCommitted(group, [{ topic, partition: 0, offset: 1 }]);
    });
  });

  describe('groups from outside', () => {
    const scope = useLog(openLog);

    it('are known as long as they have committed something or have members', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const [group, second, topic] = [unique('g'), unique('g'), unique('t')];
      await transport.topics.create(topic, { partitions: 2 });
      expect(await other.describeGroup(group)).toBeUndefined();
      expect(await other.groups()).not.toContain(group);
      const { session, tasks } = await join(transport, group, topic, 2);
      await until('both tasks', () => tasks.size === 2);
      expect(await other.describeGroup(group)).toEqual({ active: true, offsets: [], stores: [] });
      expect(await other.groups()).toContain(group);
      const offset = { topic, partition: 1, offset: 4, metadata: 'm' };
      await session.commit({ generation: session.generation, offsets: [offset], state: [] });
      expect(await other.describeGroup(group)).toMatchObject({ active: true, offsets: [offset] });
      await session.leave();
      await transport.setCommitted(second, [{ topic, partition: 0, offset: 1 }]);
      expect(await transport.describeGroup(group)).toMatchObject({ active: false, offsets: [offset] });
      expect(await transport.describeGroup(second)).toMatchObject({ active: false, offsets: [{ topic, offset: 1 }] });
      const known = (await transport.groups()).filter((each) => each === group || each === second);
      expect([...known].sort()).toEqual([group, second].sort());
      await transport.topics.delete(topic);
      // The test's own time limit ends this in vain.
      while ((await transport.describeGroup(group)) !== undefined) await new Promise((next) => setTimeout(next, 20));
    });
  });

  describe('groups', () => {
    const scope = useLog(openLog);
    const setUp = async (partitions: number) => {
      const [group, topic] = [unique('g'), unique('t')];
      await scope.transport.topics.create(topic, { partitions });
      return { group, topic };
    };

    it('gives all tasks to the only member, which then commits', async () => {
      const { transport } = scope;
      const { group, topic } = await setUp(2);
      const { session, tasks } = await join(transport, group, topic, 2);
      await until('both tasks', () => tasks.size === 2);
      expect(session.generation).toBeGreaterThan(0);
      const offset = { topic, partition: 1, offset: 4, metadata: 'm' };
      await session.commit({ generation: session.generation, offsets: [offset], state: [] });
      expect(await transport.committed(group, [{ topic, partition: 1 }])).toEqual([offset]);
      await session.leave();
    });

    it('shares tasks evenly, after the previous owner has finished with them, and moves no others', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const { group, topic } = await setUp(4);
      let release: () => void = () => undefined;
      const revoking = new Promise<void>((resolve) => (release = resolve));
      const a = await join(transport, group, topic, 4, { onRevoked: () => revoking });
      await until('all tasks', () => a.tasks.size === 4);
      const generation = a.session.generation;
      const b = await join(other, group, topic, 4);
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(b.tasks.size, 'tasks went on before the previous owner was done').toBe(0);
      // The previous owner can still commit what it has done.
      await a.session.commit({ generation, offsets: [{ topic, partition: 3, offset: 9 }], state: [] });
      release();
      await until('a fair share', () => a.tasks.size === 2 && b.tasks.size === 2);
      expect([...a.tasks, ...b.tasks].sort()).toEqual(['s/0', 's/1', 's/2', 's/3']);
      expect(a.events.filter((event) => event.startsWith('revoked'))).toHaveLength(1);
      expect(b.session.generation).toBeGreaterThan(generation);
      expect(await other.committed(group, [{ topic, partition: 3 }])).toMatchObject([{ offset: 9 }]);
      await Promise.all([a.session.leave(), b.session.leave()]);
    });

    it('refuses work of a generation in which the member had tasks that it lost since', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const { group, topic } = await setUp(2);
      const a = await join(transport, group, topic, 2);
      await until('all tasks', () => a.tasks.size === 2);
      const old = a.session.generation;
      const b = await join(other, group, topic, 2);
      await until('a share', () => a.tasks.size === 1 && b.tasks.size === 1 && a.session.generation > old);
      const unit = { offsets: [{ topic, partition: 0, offset: 1 }], state: [] };
      const error = await failure('ERR_STALE_GENERATION', a.session.commit({ ...unit, generation: old }));
      expect(error.errorClass).toBe('migrated');
      expect(error.written).toBe('no');
      await failure('ERR_STALE_GENERATION', b.session.commit({ ...unit, generation: old }));
      expect(await transport.committed(group, [{ topic, partition: 0 }])).toEqual([]);
      await a.session.commit({ ...unit, generation: a.session.generation });
      expect(await transport.committed(group, [{ topic, partition: 0 }])).toMatchObject([{ offset: 1 }]);
      await Promise.all([a.session.leave(), b.session.leave()]);
    });

    it('hands the tasks of a member that leaves to the others, and refuses its commits', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const { group, topic } = await setUp(3);
      const a = await join(transport, group, topic, 3);
      const b = await join(other, group, topic, 3);
      await until('all tasks shared', () => a.tasks.size + b.tasks.size === 3 && b.tasks.size > 0);
      const { generation } = a.session;
      await a.session.leave();
      await until('all tasks', () => b.tasks.size === 3);
      expect(a.events.filter((event) => event.startsWith('revoked')).length).toBeLessThanOrEqual(1);
      const unit = { generation, offsets: [{ topic, partition: 0, offset: 1 }], state: [] };
      await failure('ERR_STALE_GENERATION', a.session.commit(unit));
      await a.session.leave();
      await b.session.leave();
    });

    it('gives a member without tasks none, and keeps it', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const { group, topic } = await setUp(1);
      const a = await join(transport, group, topic, 1);
      await until('the task', () => a.tasks.size === 1);
      const b = await join(other, group, topic, 1);
      await until('the second member to be told', () => b.events.length === 1);
      expect(b.tasks.size).toBe(0);
      expect(a.events).toEqual(['assigned s/0', 'assigned ']);
      await a.session.leave();
      await until('the task', () => b.tasks.size === 1);
      await b.session.leave();
    });

    it('tells a member whose callback throws, and goes on without it', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const { group, topic } = await setUp(1);
      const a = await join(transport, group, topic, 1, {
        onAssigned: async () => {
          throw new Error('cannot restore');
        },
      });
      await until('the error', () => a.errors.length === 1);
      expect(a.errors[0]!.message).toContain('cannot restore');
      const b = await join(other, group, topic, 1);
      await until('the task', () => b.tasks.size === 1);
      await b.session.leave();
      await a.session.leave();
    });

    it('sends outputs with the commit of a member', async () => {
      const { transport } = scope;
      const { group, topic } = await setUp(1);
      const { session, tasks } = await join(transport, group, topic, 1);
      await until('the task', () => tasks.size === 1);
      await session.send([batch(topic, 0, values('out'))]);
      await session.commit({ generation: session.generation, offsets: [], state: [] });
      expect((await transport.offsets(topic, 'latest')).get(0)).toBeGreaterThan(0);
      await session.leave();
    });

    // On a log whose groups are shared by processes there is nothing to refuse.
    const whereExclusive = exclusiveGroups ? it : undefined;
    whereExclusive?.('refuses a second member of an exclusive group', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const { group, topic } = await setUp(1);
      const a = await join(transport, group, topic, 1, { exclusive: true });
      const error = await failure('ERR_APPLICATION_RUNNING', join(other, group, topic, 1, { exclusive: true }));
      expect(error.message).toContain(group);
      await until('the task', () => a.tasks.size === 1);
      await a.session.leave();
      const b = await join(other, group, topic, 1, { exclusive: true });
      await until('the task', () => b.tasks.size === 1);
      await b.session.leave();
    });

    it('leaves its groups when the transport is closed', async () => {
      const { transport } = scope;
      const other = await scope.another();
      const { group, topic } = await setUp(1);
      const a = await join(other, group, topic, 1);
      await until('the task', () => a.tasks.size === 1);
      await other.close();
      await transport.setCommitted(group, [{ topic, partition: 0, offset: 0 }]);
    });
  });
}
