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
  run,
  string,
  through,
  to,
  topic,
} from '../../src/index.ts';
import type { AppOptions } from '../../src/runtime/app-options.ts';
import { partitionOf } from '../../src/sinks/encode.ts';
import { type TestLog, unique, until } from '../contract/support.ts';

const numbers = (name: string) => topic(name, { key: string(), value: int32() });
type Numbers = ReturnType<typeof numbers>;

/** Topics that change while an application or a client uses them. */
export function changedTopics(openLog: () => Promise<TestLog>): void {
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
      options: Partial<AppOptions> = {},
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
      expect(error?.message).toMatch(/keeps state \(counts\) in 1 partitions/);
      expect(await start(counts, id, { until: 'end' }).ended).toMatchObject({ code: 'ERR_PARTITION_COUNT' });
      expect(await start(counts, unique('anew'), { until: 'end' }).ended).toBeUndefined();
    });

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
          await until('the commit', () => {
            void client.committed(group, read).then((offsets) => offsets.get(0) === 3 && seen.push(-1));
            return seen.includes(-1);
          });
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
