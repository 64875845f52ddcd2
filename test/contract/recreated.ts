import { describe, expect, it } from 'vitest';
import { MillraceError } from '../../src/errors.ts';
import type { Fetcher, Transport } from '../../src/log/transport.ts';
import { useLog } from './scope.ts';
import { failure, join, send, type TestLog, unique, until, values, watch } from './support.ts';

const idOf = async (transport: Transport, topic: string): Promise<string> => {
  const id = (await transport.topics.facts([topic])).get(topic)?.id;
  if (id === undefined) throw new Error(`topic ${topic} has no id`);
  return id;
};

async function makeAnew(transport: Transport, topic: string, ...rows: string[]): Promise<void> {
  await transport.topics.delete(topic);
  await transport.topics.create(topic);
  await send(transport, topic, 0, values(...rows));
}

/** Polls until a partition says something: values, or the code of an error. */
async function heard(fetcher: Fetcher, next: () => Promise<void>, topic: string): Promise<unknown> {
  for (;;) {
    const woken = next();
    try {
      const batch = fetcher.poll(topic, 0);
      if (batch !== undefined) return batch.count;
    } catch (error) {
      return error instanceof MillraceError ? error.code : error;
    }
    await woken;
  }
}

/** A topic that is deleted, and another one that gets its name. */
export function recreatedContract(openLog: () => Promise<TestLog>): void {
  describe('a topic that was made anew', () => {
    const scope = useLog(openLog);

    it('is told from the one before by its id, and looked up with many others', async () => {
      const { topics } = scope.transport;
      const names = Array.from({ length: 40 }, (_, at) => unique(`many-${at}`));
      await topics.createAll(names.map((name, at) => ({ name, partitions: 1 + (at % 3), config: {} })));
      await topics.createAll(names.map((name) => ({ name, partitions: 7, config: { cleanup: 'compact' } })));
      const found = await topics.describeAll([...names, unique('nowhere')]);
      expect(found.size).toBe(names.length);
      expect(names.map((name) => found.get(name)?.partitions)).toEqual(names.map((_, at) => 1 + (at % 3)));
      const ids = new Set([...found.values()].map(({ id }) => id));
      expect(ids.size).toBe(names.length);
      const [first = ''] = names;
      await topics.delete(first);
      expect((await topics.facts(names)).size).toBe(names.length - 1);
      await topics.create(first);
      expect(ids).not.toContain(await idOf(scope.transport, first));
    });

    it('is not read by who has read the one before, with fewer records and with more', async () => {
      const { transport } = scope;
      for (const rows of [['n'], ['n', 'n', 'n', 'n']]) {
        const topic = unique('t');
        await transport.topics.create(topic);
        await send(transport, topic, 0, values('old', 'old'));
        const before = await idOf(transport, topic);
        const { fetcher, next } = watch(transport);
        fetcher.assign(topic, 0, 0);
        expect(await heard(fetcher, next, topic)).toBe(2);
        expect(fetcher.origin(topic, 0).topicId).toBe(before);
        await makeAnew(transport, topic, ...rows);
        // Whoever looks in between hears that there is no topic of that name.
        const error = await heard(fetcher, next, topic);
        expect(['ERR_TOPIC_RECREATED', 'ERR_UNKNOWN_TOPIC']).toContain(error);
        fetcher.assign(topic, 0, 0, { topicId: before });
        expect(await heard(fetcher, next, topic)).toBe('ERR_TOPIC_RECREATED');
        fetcher.assign(topic, 0, 0);
        expect(await heard(fetcher, next, topic)).toBe(rows.length);
        await fetcher.close();
      }
    });

    it('is one that the group has read before, also when partitions were added or offsets went with the topic', async () => {
      const { transport } = scope;
      const [group, topic, beside, never] = [unique('g'), unique('t'), unique('beside'), unique('never')];
      for (const name of [topic, beside, never]) await transport.topics.create(name);
      const places = [topic, beside, never].map((name) => ({ topic: name, partition: 0 }));
      const read = async () => [...(await transport.committedTopics(group, places))].toSorted();
      expect(await read()).toEqual([]);
      const tasks = new Set<string>();
      const session = await transport.group({
        groupId: group,
        tasks: [topic, beside].map((name) => ({ id: name, partitions: [{ topic: name, partition: 0 }] })),
        onAssigned: async (ids) => ids.forEach((id) => tasks.add(id)),
        onRevoked: async () => undefined,
        onError: () => undefined,
      });
      await until('the tasks', () => tasks.size === 2);
      const offsets = await Promise.all(
        [topic, beside].map(async (name) => {
          return { topic: name, partition: 0, offset: 0, topicId: await idOf(transport, name), metadata: 'kept' };
        }),
      );
      await session.commit({ generation: session.generation, offsets, state: [] });
      await session.leave();
      expect(await transport.committed(group, places)).toMatchObject([{ metadata: 'kept' }, { metadata: 'kept' }]);
      await transport.topics.addPartitions(beside, 2);
      const added = [0, 1].map((partition) => ({ topic: beside, partition }));
      expect([...(await transport.committedTopics(group, added))]).toEqual([beside]);
      expect((await transport.committed(group, added)).map(({ partition }) => partition)).toEqual([0]);
      await makeAnew(transport, topic, 'new');
      expect(await read()).toEqual([topic, beside].toSorted());
      const left = await transport.committed(group, [{ topic, partition: 0 }]);
      expect(left.filter(({ offset, topicId }) => topicId === undefined || offset !== 0)).toEqual([]);
      expect(await transport.committed(group, [{ topic, partition: 7 }])).toEqual([]);
    });

    it('takes no commit of the one before, also of a member that was there', async () => {
      const { transport } = scope;
      const [group, topic] = [unique('g'), unique('t')];
      await transport.topics.create(topic);
      await send(transport, topic, 0, values('a', 'b', 'c'));
      const before = await idOf(transport, topic);
      const { session, tasks } = await join(transport, group, topic, 1);
      await until('the task', () => tasks.size === 1);
      const commit = (offset: number, topicId: string) => {
        const offsets = [{ topic, partition: 0, offset, topicId }];
        return session.commit({ generation: session.generation, offsets, state: [] });
      };
      await commit(2, before);
      expect(await transport.committed(group, [{ topic, partition: 0 }])).toMatchObject([{ offset: 2 }]);
      await makeAnew(transport, topic, 'd', 'e', 'f', 'g');
      await commit(3, before);
      const [stale] = await transport.committed(group, [{ topic, partition: 0 }]);
      expect(stale?.offset ?? 0).toBe(0);
      await commit(1, await idOf(transport, topic));
      expect(await transport.committed(group, [{ topic, partition: 0 }])).toEqual([{ topic, partition: 0, offset: 1 }]);
      await session.leave();
      await transport.setCommitted(group, [{ topic, partition: 0, offset: 2 }]);
      expect(await transport.committed(group, [{ topic, partition: 0 }])).toEqual([{ topic, partition: 0, offset: 2 }]);
      await transport.topics.delete(topic);
      await failure('ERR_UNKNOWN_TOPIC', transport.offsets(topic, 'latest'));
      expect(await transport.committed(group, [{ topic, partition: 0 }])).toEqual([]);
    });
  });
}
