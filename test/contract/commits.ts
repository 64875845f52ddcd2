import { describe, expect, it } from 'vitest';
import type { StoreId } from '../../src/state/byte-store.ts';
import { useLog } from './scope.ts';
import { batch, failure, join, readAll, type TestLog, unique, until, values, valuesOf } from './support.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

/** Outputs, state and offsets of a session. */
export function commitContract(openLog: () => Promise<TestLog>): void {
  describe('commits', () => {
    const scope = useLog(openLog);
    const setUp = async () => {
      const [group, topic] = [unique('g'), unique('t')];
      await scope.transport.topics.create(topic, { partitions: 2 });
      const joined = await join(scope.transport, group, topic, 1);
      await until('the task', () => joined.tasks.size === 1);
      const id: StoreId = { applicationId: group, store: 'counts', partition: 0 };
      const { session } = joined;
      return { group, topic, session, id, generation: session.generation };
    };

    it('make outputs, state and offsets visible together, also to others', async () => {
      const { group, topic, session, id, generation } = await setUp();
      const other = await scope.another();
      const { atomicCommit } = scope.transport.capabilities;
      await session.send([batch(topic, 0, values('a')), batch(topic, 1, values('b', 'c'), 'lz4')]);
      if (atomicCommit) expect(await readAll(other, topic, 0)).toEqual([]);
      await session.commit({
        generation,
        offsets: [{ topic, partition: 0, offset: 5 }],
        state: [{ id, keys: [bytes('k'), bytes('gone')], values: [bytes('v'), null] }],
      });
      expect(valuesOf(await readAll(other, topic, 0))).toEqual(['a']);
      expect(valuesOf(await readAll(other, topic, 1))).toEqual(['b', 'c']);
      expect(await other.committed(group, [{ topic, partition: 0 }])).toMatchObject([{ offset: 5 }]);
      expect(text(session.stores.open(id).get(bytes('k')))).toBe('v');
      expect(session.stores.list(group)).toEqual([id]);
      await session.leave();
    });

    it('are forgotten with their group, once it has no members, and so is its state', async () => {
      const { group, topic, session, id, generation } = await setUp();
      const other = await scope.another();
      const place = { topic, partition: 0 };
      const keys = Array.from({ length: 5000 }, (_, i) => bytes(`k${i}`));
      await session.commit({
        generation,
        offsets: [{ ...place, offset: 5 }],
        state: [{ id, keys, values: keys.map(() => bytes('v')) }],
      });
      await failure('ERR_GROUP_ACTIVE', scope.transport.deleteGroup(group));
      await session.leave();
      await other.deleteGroup(group);
      expect(await other.committed(group, [place])).toEqual([]);
      expect(await other.describeGroup(group)).toBeUndefined();
      // Nothing where there is nothing.
      await other.deleteGroup(group);
      const again = await join(scope.transport, group, topic, 1);
      await until('the task', () => again.tasks.size === 1);
      if (scope.transport.capabilities.stateWithLog) {
        expect(again.session.stores.list(group)).toEqual([]);
        expect([...again.session.stores.open(id).keys()]).toEqual([]);
      }
      await again.session.commit({
        generation: again.session.generation,
        offsets: [{ ...place, offset: 1 }],
        state: [],
      });
      expect(await other.committed(group, [place])).toMatchObject([{ offset: 1 }]);
      await again.session.leave();
    });

    it('that do not happen leave no trace', async () => {
      const { group, topic, session, generation } = await setUp();
      if (!scope.transport.capabilities.atomicCommit) return session.leave();
      await session.send([batch(topic, 0, values('never'))]);
      await session.leave();
      await failure('ERR_STALE_GENERATION', session.commit({ generation, offsets: [], state: [] }));
      expect(await readAll(scope.transport, topic, 0)).toEqual([]);
      expect(await scope.transport.committed(group, [{ topic, partition: 0 }])).toEqual([]);
    });

    it('that are refused leave no trace, and the next one works', async () => {
      const { group, topic, session, id, generation } = await setUp();
      if (!scope.transport.capabilities.atomicCommit) return session.leave();
      await session.send([batch(topic, 0, values('dropped'))]);
      const unit = {
        offsets: [{ topic, partition: 0, offset: 1 }],
        state: [{ id, keys: [bytes('k')], values: [bytes('v')] }],
      };
      await failure('ERR_STALE_GENERATION', session.commit({ ...unit, generation: generation + 1 }));
      expect(await readAll(scope.transport, topic, 0)).toEqual([]);
      expect(session.stores.open(id).get(bytes('k'))).toBeUndefined();
      expect(await scope.transport.committed(group, [{ topic, partition: 0 }])).toEqual([]);
      await session.send([batch(topic, 0, values('kept'))]);
      await session.commit({ ...unit, generation });
      expect(valuesOf(await readAll(scope.transport, topic, 0))).toEqual(['kept']);
      await session.leave();
    });

    it('that overlap take effect in order, whatever their codecs', async () => {
      const { group, topic, session, id, generation } = await setUp();
      const codecs = ['zstd', 'none', 'gzip', 'none', 'snappy', 'lz4', 'none'] as const;
      const sends: Promise<void>[] = [];
      const commits = codecs.map((codec, i) => {
        sends.push(session.send([batch(topic, 0, values(`v${i}`), codec)]));
        return session.commit({
          generation,
          offsets: [{ topic, partition: 0, offset: i + 1 }],
          state: [{ id, keys: [bytes('last')], values: [bytes(String(i))] }],
        });
      });
      await Promise.all([...sends, ...commits]);
      expect(valuesOf(await readAll(scope.transport, topic, 0))).toEqual(codecs.map((_, i) => `v${i}`));
      expect(await scope.transport.committed(group, [{ topic, partition: 0 }])).toMatchObject([{ offset: 7 }]);
      expect(text(session.stores.open(id).get(bytes('last')))).toBe('6');
      await session.leave();
    });

    it('do not include an output whose send was refused', async () => {
      const { topic, session, generation } = await setUp();
      await scope.transport.topics.configure(topic, { maxMessageBytes: 500 });
      await failure('ERR_RECORD_TOO_LARGE', session.send([batch(topic, 0, values('x'.repeat(1000)))]));
      await failure('ERR_UNKNOWN_PARTITION', session.send([batch(topic, 9, values('x'))]));
      await failure('ERR_UNKNOWN_TOPIC', session.send([batch(unique('none'), 0, values('x'))]));
      await session.send([batch(topic, 0, values('small'))]);
      await session.commit({ generation, offsets: [], state: [] });
      expect(valuesOf(await readAll(scope.transport, topic, 0))).toEqual(['small']);
      await session.leave();
    });

    it('keep stores apart, in order, and readable by the next session', async () => {
      const { group, topic, session, id, generation } = await setUp();
      const keys = ['b', 'a', 'ab', 'c'].map(bytes);
      await session.commit({
        generation,
        offsets: [],
        state: [
          { id, keys, values: keys },
          { id: { ...id, store: 'other' }, keys: [bytes('a')], values: [bytes('elsewhere')] },
          { id: { ...id, partition: 1 }, keys: [bytes('z')], values: [bytes('1')] },
        ],
      });
      await session.leave();
      if (!scope.transport.capabilities.stateWithLog) return;
      const next = await join(await scope.another(), group, topic, 1);
      await until('the task', () => next.tasks.size === 1);
      const store = next.session.stores.open(id);
      const all = (from?: string, to?: string) =>
        [...store.range(from === undefined ? undefined : bytes(from), to === undefined ? undefined : bytes(to))].map(
          ([key, value]) => [text(key), text(value)],
        );
      expect(all()).toEqual([
        ['a', 'a'],
        ['ab', 'ab'],
        ['b', 'b'],
        ['c', 'c'],
      ]);
      expect(all('ab', 'c')).toEqual([
        ['ab', 'ab'],
        ['b', 'b'],
      ]);
      expect(all('bb')).toEqual([['c', 'c']]);
      expect(next.session.stores.list(group)).toHaveLength(3);
      expect(next.session.stores.list('nobody')).toEqual([]);
      await next.session.leave();
    });
  });
}
