import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MillraceError } from '../../src/errors.ts';
import {
  type App,
  type Client,
  connect,
  countByKey,
  int32,
  joinTable,
  keyBy,
  type Pipeline,
  run,
  string,
  table,
  through,
  to,
  topic,
} from '../../src/index.ts';
import type { AppOptions } from '../../src/runtime/app/app-options.ts';
import { type TestLog, unique, until } from '../contract/support.ts';

const numbers = (name: string) => topic(name, { key: string(), value: int32() });
type Numbers = ReturnType<typeof numbers>;

/** How a topic came to be before the application that goes through it. */
const MADE = {
  'that it makes itself': async () => undefined,
  'that was there': (client: Client, shuffle: Numbers) => client.topics.create(shuffle, { partitions: 2 }),
  'that was there and is compacted': (client: Client, shuffle: Numbers) =>
    client.topics.create(shuffle, { config: { cleanup: 'compact' } }),
} as const;

/** A topic that is written and read by one application is not for another one. */
export function topicOwners(openLog: () => Promise<TestLog>): void {
  describe('a topic that an application writes and reads', () => {
    let log: TestLog;
    let client: Client;
    let source: Numbers;
    let shuffle: Numbers;
    let out: Numbers;
    let apps: App[] = [];
    beforeEach(async () => {
      log = await openLog();
      client = await connect({ transport: log.open });
      source = numbers(unique('source'));
      shuffle = numbers(unique('shuffle'));
      out = numbers(unique('out'));
      await client.topics.create(source, { partitions: 2 });
      await client.publishAll(
        source,
        Array.from({ length: 6 }, (_, value) => ({ key: `k${value}`, value })),
      );
    });
    afterEach(async () => {
      await Promise.all(apps.map((app) => app.stop().catch(() => undefined)));
      apps = [];
      await client.close();
      await log.cleanup();
    });

    const counts = (way = shuffle, target = out): Pipeline =>
      source.pipe(
        keyBy(() => 'all'),
        through(way),
        countByKey({ store: 'counts' }),
        to(target),
      );
    const start = (pipeline: Pipeline, id: string, options: Partial<AppOptions> = {}) => {
      const app = run(pipeline, { applicationId: id, transport: log.open, commitInterval: '50ms', ...options });
      apps.push(app);
      const ended = app.done.then(
        () => undefined,
        (error: unknown) => error as MillraceError,
      );
      return { app, ended };
    };
    const toEnd = (pipeline: Pipeline, id: string, options: Partial<AppOptions> = {}) =>
      start(pipeline, id, { until: 'end', ...options }).ended;
    const read = async (from: Numbers): Promise<number[]> => {
      const seen: number[] = [];
      for await (const { value } of client.records(from, { from: 'earliest', until: 'end' })) seen.push(value);
      return seen;
    };

    it.each(Object.entries(MADE))('%s is not for another application, which is told whose it is', async (_, make) => {
      await make(client, shuffle);
      const [first, second] = [unique('first'), unique('second')];
      expect(await toEnd(counts(), first)).toBeUndefined();
      expect(await read(out)).toEqual([1, 2, 3, 4, 5, 6]);
      const unmade = numbers(unique('unmade'));
      const error = await toEnd(counts(shuffle, unmade), second);
      expect(error).toMatchObject({ code: 'ERR_TOPIC_OWNED', errorClass: 'config', topic: shuffle.name });
      expect(error?.message).toContain(first);
      expect(error?.message).toContain(second);
      expect(error?.hint).toMatch(/another name.*topics\.delete.*topics\.release/);
      // Nothing is made, and nothing is written, before it is refused.
      const made = (await client.topics.list()).filter((name) => name === unmade.name || name.startsWith(second));
      expect(made).toEqual([]);
      expect((await client.committed(second, source)).size).toBe(0);
      // The first one goes on as if nothing had been.
      await client.publish(source, { key: 'k', value: 7 });
      expect(await toEnd(counts(), first)).toBeUndefined();
      expect(await read(out)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      // And the second one counts by itself, through a topic of its own.
      const other = numbers(unique('other'));
      expect(await toEnd(counts(numbers(unique('way')), other), second)).toBeUndefined();
      expect(await read(other)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });

    it('is its own in whichever way it goes through: by hand, as a table, or another pipeline through it', async () => {
      const id = unique('first');
      const [byHand, rows, more] = [numbers(unique('by-hand')), numbers(unique('rows')), numbers(unique('more'))];
      await client.topics.create(more, { partitions: 2 });
      const joined = () =>
        more.pipe(
          joinTable(table(rows.name, { key: string(), value: int32() }), (value, row) => value + row),
          to(numbers(unique('o'))),
        );
      const first: Pipeline = [
        source.pipe(to(byHand)),
        byHand.pipe(through(shuffle), countByKey({ store: 'counts' }), to(rows)),
        joined(),
      ];
      expect(await toEnd(first, id)).toBeUndefined();
      const others: readonly Pipeline[] = [
        [source.pipe(to(byHand)), byHand.pipe(to(numbers(unique('o'))))],
        source.pipe(through(byHand), to(numbers(unique('o')))),
        [source.pipe(to(shuffle)), shuffle.pipe(to(numbers(unique('o'))))],
        source.pipe(through(rows), to(numbers(unique('o')))),
        [source.pipe(to(rows)), joined()],
      ];
      for (const other of others) {
        expect(await toEnd(other, unique('second'))).toMatchObject({ code: 'ERR_TOPIC_OWNED' });
      }
    });

    it('may be read by others, applications and clients, and written', async () => {
      await client.topics.create(shuffle, { partitions: 2 });
      const first = unique('first');
      expect(await toEnd(counts(), first)).toBeUndefined();
      const copy = numbers(unique('copy'));
      expect(await toEnd(shuffle.pipe(to(copy)), unique('reader'))).toBeUndefined();
      expect((await read(copy)).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5]);
      const seen: number[] = [];
      const options = { from: 'earliest', until: 'end', group: unique('group') } as const;
      for await (const { value } of client.records(shuffle, options)) seen.push(value);
      expect(seen).toHaveLength(6);
      expect(await toEnd(source.pipe(to(shuffle)), unique('writer'))).toBeUndefined();
      expect(await toEnd(counts(), first)).toBeUndefined();
      expect(await read(out)).toHaveLength(12);
    });

    it('goes to one of two applications that start at the same moment', async () => {
      for (const make of Object.values(MADE)) {
        const way = numbers(unique('way'));
        await make(client, way);
        const outs = [numbers(unique('out')), numbers(unique('out'))];
        const ids = [unique('a'), unique('b')];
        const outcomes = await Promise.all(ids.map((id, at) => toEnd(counts(way, outs[at]), id)));
        const winners = outcomes.filter((error) => error === undefined);
        expect(winners).toHaveLength(1);
        expect(outcomes.find((error) => error !== undefined)).toMatchObject({ code: 'ERR_TOPIC_OWNED' });
        expect(await read(outs[outcomes.indexOf(undefined)] as Numbers)).toEqual([1, 2, 3, 4, 5, 6]);
      }
    });

    it('is handed over when it is released, and free when it was deleted', async () => {
      await client.topics.create(shuffle);
      const [first, second, third] = [unique('first'), unique('second'), unique('third')];
      expect(await toEnd(source.pipe(through(shuffle), to(out)), first)).toBeUndefined();
      await client.topics.release(shuffle);
      const later = numbers(unique('out'));
      expect(await toEnd(source.pipe(through(shuffle), to(later)), second)).toBeUndefined();
      // It reads what the first one has left there, and its own.
      expect(await read(later)).toHaveLength(12);
      expect(await toEnd(source.pipe(through(shuffle), to(out)), first)).toMatchObject({ code: 'ERR_TOPIC_OWNED' });
      await client.topics.delete(shuffle);
      const last = numbers(unique('out'));
      expect(await toEnd(source.pipe(through(shuffle), to(last)), third)).toBeUndefined();
      expect(await read(last)).toHaveLength(6);
    });

    it('is not handed over while its owner runs', async () => {
      await client.topics.create(shuffle);
      const applicationId = unique('running');
      const app = run(source.pipe(through(shuffle), to(out)), { applicationId, transport: log.open, logger: false });
      await app.ready;
      await expect(client.topics.release(shuffle)).rejects.toMatchObject({
        code: 'ERR_GROUP_ACTIVE',
        message: expect.stringContaining(applicationId) as string,
      });
      await app.stop();
      await client.topics.release(shuffle);
    });

    it('is not forgotten with records that no step reads any more when the pipeline has changed', async () => {
      const id = unique('first');
      const warnings: string[] = [];
      const quiet = (): void => undefined;
      const warn = (_: object, message: string): void => void warnings.push(message);
      const logger = { debug: quiet, info: quiet, warn, error: quiet };
      const copies = source.pipe(to(out));
      expect(await toEnd(counts(shuffle, numbers(unique('counted'))), id)).toBeUndefined();
      // What tasks say of their time is not missed by anybody.
      expect(await toEnd(copies, id, { logger })).toBeUndefined();
      expect(warnings).toEqual([]);
      await client.publish(source, { key: 'k', value: 7 });
      await client.publish(source, { key: 'k', value: 8 });
      expect(await toEnd(source.pipe(to(shuffle)), id)).toBeUndefined();
      expect(await toEnd(copies, id, { logger })).toBeUndefined();
      expect(warnings).toEqual([
        expect.stringContaining(`${shuffle.name} that it has not read, and no step reads them`),
      ]);
      // Who reads them again finds them.
      const counted = numbers(unique('counted'));
      expect(await toEnd(counts(shuffle, counted), id, { logger })).toBeUndefined();
      expect((await read(counted)).length).toBeGreaterThanOrEqual(2);
      expect(await toEnd(copies, id, { logger })).toBeUndefined();
      expect(warnings).toHaveLength(1);
    });

    it('ends an application whose topic was made anew by another one', async () => {
      const [first, second] = [unique('first'), unique('second')];
      const { app, ended } = start(source.pipe(through(shuffle), to(out)), first);
      await app.ready;
      let error: MillraceError | undefined;
      let over = false;
      void ended.then((outcome) => ((error = outcome), (over = true)));
      await client.topics.delete(shuffle);
      expect(await toEnd(counts(), second)).toBeUndefined();
      await until('the end of the first one', () => over);
      // What it was doing meanwhile may have met the topic while it was gone.
      expect(['ERR_TOPIC_OWNED', 'ERR_UNKNOWN_TOPIC']).toContain(error?.code);
    });
  });
}

/** Several processes of one application, on logs where that can be. */
export function sharedOwners(openLog: () => Promise<TestLog>): void {
  it('processes of one application share its topics, also when they start at the same moment', async () => {
    const log = await openLog();
    const client = await connect({ transport: log.open });
    const [source, made, there, out] = ['source', 'made', 'there', 'out'].map((name) => numbers(unique(name)));
    if (source === undefined || made === undefined || there === undefined || out === undefined) throw new Error();
    await client.topics.create(source, { partitions: 4 });
    await client.topics.create(there, { partitions: 4 });
    const pipeline = source.pipe(through(made), through(there), to(out));
    const id = unique('app');
    const apps = [0, 1, 2].map(() => run(pipeline, { applicationId: id, transport: log.open, commitInterval: '50ms' }));
    await Promise.all(apps.map((app) => app.ready));
    await client.publishAll(
      source,
      Array.from({ length: 20 }, (_, value) => ({ key: `k${value}`, value })),
    );
    const seen: number[] = [];
    client.records(out, { from: 'earliest' }).subscribe(({ value }) => seen.push(value));
    await until('all of them', () => new Set(seen).size === 20);
    await Promise.all(apps.map((app) => app.stop()));
    await client.close();
    await log.cleanup();
    expect(seen).toHaveLength(20);
  });
}
