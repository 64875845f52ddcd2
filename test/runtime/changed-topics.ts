import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MillraceError } from '../../src/errors.ts';
import {
  type App,
  agg,
  aggregate,
  type Client,
  connect,
  globalTable,
  int32,
  joinTable,
  keyBy,
  mapValues,
  type RunOptions,
  run,
  string,
  through,
  to,
  topic,
} from '../../src/index.ts';
import { partitionOf } from '../../src/log/encode.ts';
import { type TestLog, unique, until } from '../contract/support.ts';

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
const numbers = (name: string) => topic(name, { key: string(), value: int32() });
type Numbers = ReturnType<typeof numbers>;

/** What a log may leave out because it cannot do it. */
export interface ChangedTopicsFeatures {
  /** It remembers by itself that a group has read a topic that was deleted (true). */
  readonly remembersDeleted?: boolean;
}

/** Topics that change while an application or a client uses them. */
export function changedTopics(
  openLog: () => Promise<TestLog>,
  { remembersDeleted = true }: ChangedTopicsFeatures = {},
): void {
  describe('topics that change while they are used', () => {
    let log: TestLog;
    let client: Client;
    let source: Numbers;
    let out: Numbers;
    let apps: App[] = [];
    beforeEach(async () => {
      log = await openLog();
      client = await connect({ transport: log.open });
      source = numbers(unique('source'));
      out = numbers(unique('out'));
      await client.topics.create(source, { partitions: 1 });
      await client.topics.create(out, { partitions: 1 });
    });
    afterEach(async () => {
      await Promise.all(apps.map((app) => app.stop().catch(() => undefined)));
      apps = [];
      await client.close();
      await log.cleanup();
    });

    const start = (
      pipeline: Parameters<typeof run>[0],
      id: string,
      options: Partial<RunOptions> = {},
    ): { readonly app: App; readonly ended: Promise<MillraceError | undefined> } => {
      const app = run(pipeline, { applicationId: id, transport: log.open, commitInterval: '50ms', ...options });
      apps.push(app);
      const ended = app.done.then(
        () => undefined,
        (error: unknown) => error as MillraceError,
      );
      return { app, ended };
    };
    const publish = (to: Numbers, key: string, value: number, partition?: number) =>
      client.publish(to, { key, value, ...(partition === undefined ? {} : { partition }) });
    /** Values that come out, as they come. */
    const watching = (of: Numbers): number[] => {
      const seen: number[] = [];
      // Who reads a topic that is made anew hears of it.
      client
        .records(of, { from: 'earliest', metadataMaxAge: '50ms' })
        .subscribe({ next: ({ value }) => seen.push(value), error: () => undefined });
      return seen;
    };
    const makeAnew = async (which: Numbers, values: readonly number[]): Promise<void> => {
      await client.topics.delete(which);
      await client.topics.create(which, { partitions: 1 });
      await client.publishAll(
        which,
        values.map((value) => ({ key: 'k', value })),
      );
    };

    it('partitions that are added to a source are read, from their first record', async () => {
      const seen = watching(out);
      start(source.pipe(to(out)), unique('app'), { startFrom: 'latest' });
      // With 'latest' the first ones may come before the application has begun.
      let sent = 0;
      await until('the first record', () => (void publish(source, 'a', ++sent), seen.length > 0));
      await client.topics.addPartitions(source, 3);
      for (const partition of [1, 2]) await publish(source, 'b', 1000 + partition, partition);
      await until('records of the new partitions', () => seen.includes(1001) && seen.includes(1002));
    });

    it('partitions that a broker did not know of when tasks were rebuilt for them are read all the same', async () => {
      let behind = 0;
      const open: typeof log.open = async (...place) => {
        const real = await log.open(...place);
        const describeAll: typeof real.topics.describeAll = async (names) => {
          const found = await real.topics.describeAll(names);
          if (behind === 0) return found;
          behind -= 1;
          return new Map([...found].map(([name, each]) => [name, { ...each, partitions: 1 }]));
        };
        return new Proxy(real, {
          get(target, name) {
            if (name === 'topics') return { ...real.topics, describeAll };
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
      };
      const seen = watching(out);
      start(source.pipe(to(out)), unique('app'), { transport: open });
      await publish(source, 'a', 1, 0);
      await until('the first record', () => seen.includes(1));
      behind = 1;
      await client.topics.addPartitions(source, 2);
      await publish(source, 'b', 2, 1);
      await until('the record of the new partition', () => seen.includes(2));
    });

    it('a topic that is made anew with fewer partitions is read, also when some of the old ones were still to be committed', async () => {
      await client.topics.addPartitions(source, 2);
      const seen = watching(out);
      const late = { commitInterval: '2s', batch: { linger: '2s' } } as const;
      const { app, ended } = start(source.pipe(to(out)), unique('app'), late);
      let error: MillraceError | undefined;
      void ended.then((outcome) => (error = outcome));
      for (const partition of [0, 1]) await publish(source, 'a', partition, partition);
      await until('the records to be read', () => app.snapshot().recordsIn === 2);
      await makeAnew(source, [100]);
      await until('the record of the new topic, or an error', () => error !== undefined || seen.includes(100), 30_000);
      // It may have been seen that the topic was gone for a moment.
      if (error !== undefined) expect(error.code).toBe('ERR_UNKNOWN_TOPIC');
    });

    it('a stage with state ends when its keys would move, says what to do, and does not start again', async () => {
      const id = unique('app');
      const counts = source.pipe(aggregate(agg.count(), { store: 'counts' }), to(out));
      const { app, ended } = start(counts, id);
      await app.ready;
      await publish(source, 'a', 1, 0);
      const seen = watching(out);
      await until('the first count', () => seen.length === 1);
      await client.topics.addPartitions(source, 3);
      const error = await ended;
      expect(error).toMatchObject({ code: 'ERR_PARTITION_COUNT', topic: source.name });
      expect(error?.message).toMatch(/keeps state \(counts\) in 1 partition,/);
      expect(await start(counts, id, { until: 'end' }).ended).toMatchObject({ code: 'ERR_PARTITION_COUNT' });
      expect(await start(counts, unique('anew'), { until: 'end' }).ended).toBeUndefined();
    });

    it.each([
      { what: 'more', before: 2, now: 4 },
      { what: 'fewer', before: 4, now: 2 },
    ])(
      'a stage whose state was built from another topic of $what partitions does not start',
      async ({ before, now }) => {
        const id = unique('app');
        const shuffle = numbers(unique('shuffle'));
        await client.topics.addPartitions(source, before);
        await client.topics.create(shuffle, { partitions: now });
        const alone = source.pipe(aggregate(agg.count(), { store: 'counts' }), to(out));
        const behind = source.pipe(through(shuffle), aggregate(agg.count(), { store: 'counts' }), to(out));
        // The last partition is one that has a task in one of both pipelines only.
        await publish(source, 'a', 1, before - 1);
        expect(await start(alone, id, { until: 'end' }).ended).toBeUndefined();
        const refused = await start(behind, id, { until: 'end' }).ended;
        expect(refused).toMatchObject({ code: 'ERR_PARTITION_COUNT', stage: shuffle.name });
        expect(refused?.message).toContain(`in ${before} partitions, but`);
        expect(await start(alone, id, { until: 'end' }).ended, 'as before').toBeUndefined();
        await client.topics.release(shuffle);
        expect(await start(behind, unique('anew'), { until: 'end' }).ended).toBeUndefined();
      },
    );

    it('a shuffle that grows is read where no state depends on it, and ends the application where some does', async () => {
      const shuffle = numbers(unique('shuffle'));
      const shuffled = source.pipe(
        keyBy((value) => `k${value % 7}`),
        through(shuffle),
      );
      const seen = watching(out);
      const { app } = start(shuffled.pipe(to(out)), unique('app'));
      await app.ready;
      await client.topics.addPartitions(shuffle, 2);
      await until('both partitions', () => app.snapshot().tasks.length === 3);
      for (let value = 0; value < 20; value += 1) await publish(source, 'a', value);
      await until('all of them', () => new Set(seen).size === 20);
      await app.stop();
      // Another application takes the shuffle over.
      await client.topics.release(shuffle);
      const sums = shuffled.pipe(aggregate(agg.count(), { store: 'counts' }), to(out));
      const { app: second, ended } = start(sums, unique('app'));
      await second.ready;
      await client.topics.addPartitions(shuffle, 3);
      expect(await ended).toMatchObject({ code: 'ERR_PARTITION_COUNT', topic: shuffle.name });
    });

    it('partitions that are added to a global table are looked into', async () => {
      const names = topic(unique('names'), { key: string(), value: string() });
      await client.topics.create(names, { partitions: 1 });
      await client.publish(names, { key: 'a', value: 'A' });
      const table = globalTable(names.name, { key: string(), value: string() });
      const joined = source.pipe(
        joinTable(table, (value, row) => value + row.length, { key: (_, { key }) => key ?? '' }),
        to(out),
      );
      const { app } = start(joined, unique('app'));
      await app.ready;
      const seen = watching(out);
      await client.topics.addPartitions(names, 2);
      await client.publish(names, { key: 'b', value: 'BBB', partition: 1 });
      await until('the row', () => app.snapshot().globalTables[0]?.rows === 2);
      await publish(source, 'b', 10);
      await until('the joined row', () => seen.includes(13));
    });

    it('partitions that are added to a target take the keys that belong there', async () => {
      const { app } = start(source.pipe(mapValues((value) => value)).pipe(to(out)), unique('app'));
      await app.ready;
      await client.topics.addPartitions(out, 5);
      await until('the new number', () => app.snapshot().restarts === 0 && app.snapshot().state === 'running');
      const keys = Array.from({ length: 30 }, (_, at) => `k${at}`);
      const placed = new Map<string, number>();
      client.records(out, { from: 'earliest' }).subscribe(({ key, partition }) => placed.set(key ?? '', partition));
      await until('a key in another partition', () => {
        for (const key of keys) void publish(source, key, 1);
        return [...placed.values()].some((partition) => partition > 0);
      });
      placed.clear();
      for (const key of keys) await publish(source, key, 2);
      await until('all keys', () => placed.size === keys.length);
      for (const [key, partition] of placed) expect(partition).toBe(partitionOf(string().serialize(key), 5));
    });

    it('a source that is made anew is read from its start, or named as gone; with fewer and with more records', async () => {
      for (const values of [[100], [100, 101, 102, 103, 104]]) {
        const anew = numbers(unique('source'));
        await client.topics.create(anew, { partitions: 1 });
        const seen = watching(out);
        const { app, ended } = start(anew.pipe(to(out)), unique('app'));
        await app.ready;
        for (const value of [1, 2, 3]) await publish(anew, 'a', value);
        await until('the old ones', () => [1, 2, 3].every((value) => seen.includes(value)));
        await makeAnew(anew, values);
        let error: MillraceError | undefined;
        void ended.then((outcome) => (error = outcome));
        await until(
          'the new ones, or an error',
          () => error !== undefined || values.every((each) => seen.includes(each)),
        );
        if (error !== undefined) expect(error.code).toBe('ERR_UNKNOWN_TOPIC');
        await app.stop().catch(() => undefined);
      }
    });

    it('a source that is made anew between two runs is read from its start; where state depends on it, that is refused', async () => {
      const [plain, stateful] = [unique('plain'), unique('stateful')];
      const copies = source.pipe(to(out));
      const counts = source.pipe(aggregate(agg.count(), { store: 'counts' }), to(numbers(unique('counts'))));
      for (const value of [1, 2, 3]) await publish(source, 'a', value);
      for (const [pipeline, id] of [
        [copies, plain],
        [counts, stateful],
      ] as const) {
        expect(await start(pipeline, id, { until: 'end' }).ended).toBeUndefined();
      }
      await makeAnew(source, [10, 11, 12, 13, 14]);
      const seen = watching(out);
      expect(await start(copies, plain, { until: 'end' }).ended).toBeUndefined();
      await until('all of the new ones', () => [10, 11, 12, 13, 14].every((value) => seen.includes(value)));
      const refused = await start(counts, stateful, { until: 'end' }).ended;
      expect(refused).toMatchObject({ code: 'ERR_STATE_OF_OTHER_TOPIC', topic: source.name });
      // Somebody decides: the state stays as it is, and goes on with the third record.
      await client.setCommitted(stateful, source, [2]);
      expect(await start(counts, stateful, { until: 'end' }).ended).toBeUndefined();
      expect([...(await client.committed(stateful, source)).values()]).toEqual([5]);
      expect(await start(counts, stateful, { until: 'end' }).ended).toBeUndefined();
    });

    it("with 'latest' only what was there at the first start is passed over: partitions that are added later are read", async () => {
      const id = unique('app');
      const copies = source.pipe(to(out));
      const options = { startFrom: 'latest' } as const;
      await client.topics.addPartitions(source, 2);
      for (const partition of [0, 1]) await publish(source, 'old', partition, partition);
      const { app } = start(copies, id, options);
      await app.ready;
      expect(await client.committed(id, source), 'also of what has nothing to read').toEqual(
        new Map([
          [0, 1],
          [1, 1],
        ]),
      );
      await app.stop();
      await client.topics.addPartitions(source, 4);
      for (const partition of [0, 1, 2, 3]) await publish(source, 'between', 10 + partition, partition);
      const seen = watching(out);
      expect(await start(copies, id, { ...options, until: 'end' }).ended).toBeUndefined();
      await until('all of them', () => seen.length >= 4);
      expect(ascending(seen)).toEqual([10, 11, 12, 13]);
      // Of an idle topic too, whose partitions all begin with 0.
      const idle = numbers(unique('idle'));
      await client.topics.create(idle, { partitions: 1 });
      const idler = unique('app');
      expect(await start(idle.pipe(to(out)), idler, { ...options, until: 'end' }).ended).toBeUndefined();
      await client.topics.addPartitions(idle, 2);
      for (const partition of [0, 1]) await publish(idle, 'between', 20 + partition, partition);
      expect(await start(idle.pipe(to(out)), idler, { ...options, until: 'end' }).ended).toBeUndefined();
      await until('both of them', () => seen.length >= 6);
      expect(ascending(seen.slice(4))).toEqual([20, 21]);
    });

    it("with 'latest' a source that was made anew while nobody read is read from its first record, a new one is not", async () => {
      const id = unique('app');
      const [beside, more] = [numbers(unique('beside')), numbers(unique('more'))];
      for (const topic of [beside, more]) await client.topics.create(topic, { partitions: 1 });
      const options = { startFrom: 'latest', until: 'end' } as const;
      for (const each of [source, beside, more]) await publish(each, 'old', 1);
      const both = [source.pipe(to(out)), beside.pipe(to(out))];
      expect(await start(both, id, options).ended).toBeUndefined();
      await makeAnew(source, [10, 11]);
      await publish(beside, 'k', 12);
      const seen = watching(out);
      expect(await start([...both, more.pipe(to(out))], id, options).ended).toBeUndefined();
      await until('the new ones', () => seen.length >= 3);
      expect(ascending(seen)).toEqual([10, 11, 12]);
      if (!remembersDeleted) return;
      const alone = unique('app');
      expect(await start(source.pipe(to(out)), alone, options).ended).toBeUndefined();
      for (const value of [20, 30]) {
        await makeAnew(source, [value, value + 1]);
        expect(await start(source.pipe(to(out)), alone, options).ended).toBeUndefined();
        await until('the new ones', () => seen.includes(value + 1));
      }
      expect(seen.slice(3)).toEqual([20, 21, 30, 31]);
    });

    it('a group passes over nothing that comes while it rests: in partitions that were added, in a topic made anew', async () => {
      const [read, beside] = [numbers(unique('read')), numbers(unique('beside'))];
      for (const topic of [read, beside]) await client.topics.create(topic, { partitions: 1 });
      const group = unique('group');
      const topics = remembersDeleted ? [read] : [read, beside];
      for (const topic of topics) await publish(topic, 'old', 1);
      const toEnd = async (from?: { readonly offset: number }): Promise<number[]> => {
        const seen: number[] = [];
        const options = { until: 'end', group, ...(from === undefined ? {} : { from }) } as const;
        for await (const { value } of client.records(topics, options)) seen.push(value);
        return ascending(seen);
      };
      expect(await toEnd()).toEqual([]);
      await client.topics.addPartitions(read, 3);
      for (const partition of [0, 1]) await publish(read, 'k', 10 + partition, partition);
      expect(await toEnd()).toEqual([10, 11]);
      await client.topics.addPartitions(read, 4);
      for (const partition of [2, 3]) await publish(read, 'k', 10 + partition, partition);
      expect(await toEnd({ offset: 1 })).toEqual([12, 13]);
      await makeAnew(read, [20, 21]);
      expect(await toEnd()).toEqual([20, 21]);
      expect(await toEnd()).toEqual([]);
    });

    it('a target that is made anew is written to', async () => {
      const { app } = start(source.pipe(to(out)), unique('app'));
      await app.ready;
      for (let value = 0; value < 5; value += 1) await publish(source, 'a', value);
      const before = watching(out);
      await until('the old ones', () => before.length === 5);
      await makeAnew(out, []);
      for (let value = 10; value < 20; value += 1) await publish(source, 'a', value);
      const after = watching(out);
      await until('the new ones', () => after.length >= 10);
      expect(after).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    });

    it('a group reads all of a topic that was made anew, whatever it has committed of the one before', async () => {
      for (const stopped of [false, true]) {
        const read = numbers(unique('read'));
        const group = unique('group');
        await client.topics.create(read, { partitions: 1 });
        await client.publishAll(
          read,
          [1, 2, 3].map((value) => ({ key: 'k', value })),
        );
        const seen: number[] = [];
        const reading = client
          .records(read, { from: 'earliest', group, commitInterval: '1h' })
          .subscribe({ next: ({ value }) => seen.push(value), error: () => undefined });
        await until('the old ones', () => seen.length === 3);
        if (stopped) {
          reading.unsubscribe();
          // One question after the other: the topic is deleted when the answer is there.
          for (let committed = -1; committed !== 3; ) {
            committed = (await client.committed(group, read)).get(0) ?? -1;
            // Logs of this machine answer within the turn.
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
        await makeAnew(read, [10, 11, 12, 13, 14]);
        reading.unsubscribe();
        const again: number[] = [];
        for await (const { value } of client.records(read, { from: 'earliest', until: 'end', group }))
          again.push(value);
        expect(again).toEqual([10, 11, 12, 13, 14]);
        expect((await client.committed(group, read)).get(0)).toBe(5);
      }
    });

    it('a client that reads to the end takes partitions along that come while it reads', async () => {
      for (const value of [1, 2, 3]) await publish(source, 'a', value);
      const seen: number[] = [];
      for await (const { value } of client.records(source, { from: 'earliest', until: 'end' })) {
        seen.push(value);
        if (seen.length !== 1) continue;
        await client.topics.addPartitions(source, 2);
        await publish(source, 'a', 4, 1);
      }
      expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    });
  });
}
