import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MillraceError } from '../../src/errors.ts';
import {
  type App,
  type Client,
  connect,
  countByKey,
  int32,
  mapValues,
  type RunOptions,
  run,
  string,
  to,
  topic,
} from '../../src/index.ts';
import { partitionOf } from '../../src/log/encode.ts';
import { type TestLog, unique, until } from '../contract/support.ts';

const numbers = (name: string) => topic(name, { key: string(), value: int32() });

/** Pipelines that read all topics of a pattern. */
export function patternSources(openLog: () => Promise<TestLog>): void {
  describe('a pipeline that reads all topics of a pattern', () => {
    let log: TestLog;
    let client: Client;
    let family: string;
    let apps: App[] = [];
    beforeEach(async () => {
      log = await openLog();
      client = await connect({ transport: log.open });
      family = unique('family');
      await client.topics.create(`${family}-one`, { partitions: 2 });
      await client.topics.create(`${family}-out`, { partitions: 1 });
    });
    afterEach(async () => {
      await Promise.all(apps.map((app) => app.stop().catch(() => undefined)));
      apps = [];
      await client.close();
      await log.cleanup();
    });

    const all = () => topic(new RegExp(`^${family}-`), { key: string(), value: int32() });
    const out = () => topic(`${family}-out`, { key: string(), value: string() });
    const told = () =>
      all().pipe(
        mapValues((value, { partition, topic: from }) => `${from.slice(family.length + 1)}/${partition} ${value}`),
      );
    const start = (pipeline: Parameters<typeof run>[0], id: string, options: Partial<RunOptions> = {}) => {
      const app = run(pipeline, { applicationId: id, transport: log.open, commitInterval: '50ms', ...options });
      apps.push(app);
      const ended = app.done.then(
        () => undefined,
        (error: unknown) => error as MillraceError,
      );
      return { app, ended };
    };
    const publish = (name: string, key: string, value: number, partition = 0) =>
      client.publish(numbers(`${family}-${name}`), { key, value, partition });
    const watching = (): string[] => {
      const seen: string[] = [];
      client
        .records(out(), { from: 'earliest' })
        .subscribe({ next: ({ value }) => seen.push(value), error: () => undefined });
      return seen;
    };

    it('reads those that match, and not what it writes itself; one that is added is read from its first record', async () => {
      await client.topics.create(`${family}-two`, { partitions: 1 });
      await publish('one', 'a', 1, 1);
      await publish('two', 'b', 2);
      const seen = watching();
      const { app } = start(told().pipe(to(out())), unique('app'));
      await until('what is there', () => seen.length === 2);
      expect(seen.toSorted()).toEqual(['one/1 1', 'two/0 2']);
      await client.topics.create(`${family}-three`, { partitions: 3 });
      await publish('three', 'c', 3, 2);
      await publish('one', 'a', 4, 0);
      await until('the added topic', () => seen.length === 4);
      expect(seen.slice(2).toSorted()).toEqual(['one/0 4', 'three/2 3']);
      expect(
        app
          .snapshot()
          .tasks.flatMap(({ inputs }) => inputs.map((input) => `${input.topic}/${input.partition}`))
          .toSorted(),
      ).toEqual(['one/0', 'one/1', 'three/0', 'three/1', 'three/2', 'two/0'].map((place) => `${family}-${place}`));
    });

    it('goes on where it was after a restart, and reads topics from their start that were added meanwhile', async () => {
      const id = unique('app');
      const seen = watching();
      const first = start(told().pipe(to(out())), id, { startFrom: 'latest' });
      let sent = 0;
      await until('the first record', () => (void publish('one', 'a', ++sent), seen.length > 0));
      await first.app.stop();
      await client.topics.create(`${family}-new`, { partitions: 1 });
      await publish('new', 'n', 7);
      start(told().pipe(to(out())), id, { startFrom: 'latest' });
      await until('the record of the new topic', () => seen.includes('new/0 7'));
      await publish('one', 'a', -1);
      await until('the record of the known one', () => seen.includes('one/0 -1'));
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('keeps state over all topics of the same number of partitions, by the number of the partition', async () => {
      const id = unique('app');
      const keys = ['a', 'b', 'c', 'd'];
      const counts = () =>
        all().pipe(
          countByKey({ store: 'counts' }),
          mapValues((n, { key }) => `${key} ${n}`),
          to(out()),
        );
      const at = (key: string) => partitionOf(key, 2);
      const seen = watching();
      const first = start(counts(), id);
      for (const key of keys) await publish('one', key, 1, at(key));
      await until('the first counts', () => seen.length === 4);
      await client.topics.create(`${family}-two`, { partitions: 2 });
      for (const key of keys) await publish('two', key, 1, at(key));
      await until('counts with the added topic', () => seen.length === 8);
      await first.app.stop();
      const { ended } = start(counts(), id);
      for (const key of keys) await publish('two', key, 1, at(key));
      await until('counts after a restart', () => seen.length === 12);
      expect(seen.toSorted()).toEqual(keys.flatMap((key) => [1, 2, 3].map((n) => `${key} ${n}`)));
      await client.topics.create(`${family}-odd`, { partitions: 3 });
      expect(await ended).toMatchObject({ code: 'ERR_NOT_COPARTITIONED' });
    });

    it('ends where nothing matches, where a topic is gone, and where two patterns match', async () => {
      const nothing = topic(/^no-topic-has-this-name/, { key: string(), value: int32() });
      const failed = start(nothing.pipe(mapValues(String), to(out())), unique('app'));
      expect(await failed.ended).toMatchObject({ code: 'ERR_UNKNOWN_TOPIC' });
      const twice = [
        told().pipe(to(out())),
        topic(new RegExp(`${family}-o`), { value: int32() }).pipe(mapValues(String)),
      ];
      expect(await start(twice, unique('app')).ended).toMatchObject({ code: 'ERR_DUPLICATE_SOURCE' });
      await client.topics.create(`${family}-gone`, { partitions: 1 });
      const seen = watching();
      const { ended } = start(told().pipe(to(out())), unique('app'));
      await publish('gone', 'a', 1);
      await until('the record', () => seen.length === 1);
      await client.topics.delete(`${family}-gone`);
      expect(await ended).toMatchObject({ code: 'ERR_UNKNOWN_TOPIC' });
    });

    it('reads all of them to their ends in a bounded run', async () => {
      await client.topics.create(`${family}-two`, { partitions: 3 });
      for (const partition of [0, 1, 2]) await publish('two', 'k', partition, partition);
      await publish('one', 'k', 9, 1);
      const seen = watching();
      const { ended } = start(told().pipe(to(out())), unique('app'), { until: 'end' });
      expect(await ended).toBeUndefined();
      await until('all records', () => seen.length === 4);
      expect(seen.toSorted()).toEqual(['one/1 9', 'two/0 0', 'two/1 1', 'two/2 2']);
    });
  });
}
