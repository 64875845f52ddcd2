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
