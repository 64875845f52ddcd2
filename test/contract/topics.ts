import { describe, expect, it } from 'vitest';
import { useLog } from './scope.ts';
import { failure, readAll, send, type TestLog, unique, values, valuesOf } from './support.ts';

/** Administration of topics. */
export function topicContract(openLog: () => Promise<TestLog>): void {
  describe('topics', () => {
    const scope = useLog(openLog);

    it('creates, lists in order, describes with all defaults, and deletes', async () => {
      const { topics } = scope.transport;
      const [a, b] = [unique('a'), unique('b')];
      await topics.create(b, { partitions: 3 });
      await topics.create(a);
      expect((await topics.list()).filter((name) => name === a || name === b)).toEqual([a, b]);
      expect(await topics.describe(a)).toEqual({
        name: a,
        partitions: 1,
        config: {
          cleanup: 'delete',
          retentionMs: 604_800_000,
          retentionBytes: -1,
          maxMessageBytes: expect.any(Number),
          minCompactionLagMs: expect.any(Number),
        },
      });
      expect((await topics.describe(b))?.partitions).toBe(3);
      await topics.delete(b);
      expect(await topics.describe(b)).toBeUndefined();
      expect(await topics.list()).not.toContain(b);
    });

    it('keeps the configuration that was given, and changes only the fields that are named', async () => {
      const { topics } = scope.transport;
      const name = unique('configured');
      const config = {
        cleanup: 'compact',
        retentionMs: 5000,
        retentionBytes: 1_000_000,
        maxMessageBytes: 2048,
        minCompactionLagMs: 60_000,
      } as const;
      await topics.create(name, { config });
      expect((await topics.describe(name))?.config).toEqual(config);
      await topics.configure(name, { retentionMs: -1, cleanup: 'compact,delete' });
      expect((await topics.describe(name))?.config).toEqual({ ...config, retentionMs: -1, cleanup: 'compact,delete' });
    });

    it('refuses a topic that exists, unless that is accepted, and leaves it as it is', async () => {
      const { topics } = scope.transport;
      const name = unique('twice');
      await topics.create(name, { partitions: 2 });
      const error = await failure('ERR_TOPIC_EXISTS', topics.create(name));
      expect(error.message).toContain(name);
      await topics.create(name, { partitions: 5, ifMissing: true });
      expect((await topics.describe(name))?.partitions).toBe(2);
    });

    it('refuses names outside of Kafka’s set and impossible partition counts', async () => {
      const { topics } = scope.transport;
      for (const name of ['', 'a b', 'ä', 'a/b', '..', 'x'.repeat(250)]) {
        await failure('ERR_TOPIC_NAME', topics.create(name));
      }
      for (const partitions of [0, -1, 1.5]) {
        await failure('ERR_PARTITION_COUNT', topics.create(unique('count'), { partitions }));
      }
    });

    it('adds partitions, keeps the records of the others, and refuses to shrink', async () => {
      const { transport } = scope;
      const name = unique('growing');
      await transport.topics.create(name, { partitions: 2 });
      await send(transport, name, 1, values('kept'));
      await transport.topics.addPartitions(name, 4);
      expect((await transport.topics.describe(name))?.partitions).toBe(4);
      await send(transport, name, 3, values('new'));
      expect(valuesOf(await readAll(transport, name, 1))).toEqual(['kept']);
      expect(valuesOf(await readAll(transport, name, 3))).toEqual(['new']);
      await failure('ERR_PARTITION_COUNT', transport.topics.addPartitions(name, 3));
    });

    it('names the topic in the error when there is none', async () => {
      const { transport } = scope;
      const { topics } = transport;
      const name = unique('nowhere');
      expect(await topics.describe(name)).toBeUndefined();
      for (const work of [
        () => topics.delete(name),
        () => topics.addPartitions(name, 2),
        () => topics.configure(name, { retentionMs: 1 }),
        () => topics.release(name),
        () => topics.deleteRecords(name, [{ partition: 0, offset: 0 }]),
        () => transport.offsets(name, 'earliest'),
      ]) {
        expect((await failure('ERR_UNKNOWN_TOPIC', work)).topic).toBe(name);
      }
    });

    it('is empty again after delete and create', async () => {
      const { transport } = scope;
      const name = unique('again');
      await transport.topics.create(name);
      await send(transport, name, 0, values('old'));
      await transport.topics.delete(name);
      await transport.topics.create(name);
      expect(await readAll(transport, name)).toEqual([]);
      expect((await send(transport, name, 0, values('new'))).baseOffset).toBe(0);
      expect(valuesOf(await readAll(transport, name))).toEqual(['new']);
    });

    it('marks topics of an application that nobody has marked, whatever they keep, and lets go of them', async () => {
      const { transport } = scope;
      const { topics } = transport;
      const [first, second, none] = [unique('first'), unique('second'), unique('none')];
      const config = { cleanup: 'delete', retentionMs: 5000 } as const;
      await topics.create(first, { config });
      await topics.create(second, { config: { cleanup: 'compact' } });
      const marks = async () => {
        const found = await topics.describeAll([first, second, none]);
        return [first, second].map((name) => found.get(name)?.config.claim);
      };
      expect(await marks()).toEqual([undefined, undefined]);
      await topics.claimAll([first, none], '0000000a');
      await topics.claimAll([first, second], 'ffffffff');
      expect(await marks()).toEqual(['0000000a', 'ffffffff']);
      expect((await topics.describe(first))?.config).toMatchObject(config);
      expect((await topics.describe(second))?.config).toMatchObject({ cleanup: 'compact', retentionMs: 604_800_000 });
      await topics.configure(first, { retentionMs: -1 });
      expect(await marks()).toEqual(['0000000a', 'ffffffff']);
      await topics.release(first);
      await topics.release(second);
      await topics.release(second);
      expect(await marks()).toEqual([undefined, undefined]);
      await topics.claimAll([second], '0000000b');
      await topics.configure(second, { cleanup: 'delete', retentionMs: 7000 });
      expect((await topics.describe(second))?.config).toMatchObject({ cleanup: 'delete', retentionMs: 7000 });
    });

    it('gives a topic to one of those that claim it at the same moment', async () => {
      const others = await Promise.all([scope.another(), scope.another()]);
      const names = [unique('one'), unique('two')];
      for (const name of names) await scope.transport.topics.create(name);
      await Promise.all(
        [scope.transport, ...others].map(({ topics }, at) => topics.claimAll(names, `0000000${at + 1}`)),
      );
      for (const { topics } of [scope.transport, ...others]) {
        const found = await topics.describeAll(names);
        const marks = new Set(names.map((name) => found.get(name)?.config.claim));
        expect(marks.size).toBe(1);
        expect(marks).not.toContain(undefined);
      }
    });

    it('makes topics with a mark, of those that somebody else has made leaves it as it is', async () => {
      const { topics } = await scope.another();
      const [plain, compacted] = [unique('plain'), unique('compacted')];
      const make = (claim: string) =>
        topics.createAll([
          { name: plain, partitions: 1, config: { claim } },
          { name: compacted, partitions: 1, config: { cleanup: 'compact', claim } },
        ]);
      await make('00000001');
      await make('00000002');
      await scope.transport.topics.claimAll([plain, compacted], '00000003');
      const found = await scope.transport.topics.describeAll([plain, compacted]);
      for (const name of [plain, compacted]) expect(found.get(name)?.config.claim).toBe('00000001');
    });

    it('knows the groups that have committed something', async () => {
      const { transport } = scope;
      const [topic, group] = [unique('t'), unique('g')];
      await transport.topics.create(topic);
      expect(await transport.groups()).not.toContain(group);
      await transport.setCommitted(group, [{ topic, partition: 0, offset: 0 }]);
      expect(await transport.groups()).toContain(group);
    });

    it('shows another transport on the same log what one did', async () => {
      const other = await scope.another();
      const name = unique('shared');
      await scope.transport.topics.create(name, { partitions: 2 });
      expect((await other.topics.describe(name))?.partitions).toBe(2);
      await send(other, name, 1, values('x'));
      expect(valuesOf(await readAll(scope.transport, name, 1))).toEqual(['x']);
    });
  });
}
