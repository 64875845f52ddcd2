import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  agg,
  batch,
  connect,
  countByKey,
  hopping,
  int32,
  joinStream,
  json,
  keyBy,
  mapValues,
  memoryTransport,
  type RunOptions,
  run,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { afterAll, describe, expect, it } from 'vitest';
import { backlog, expected, program, rowsOf, type Shape, shapes, shutting } from './shuffle-time.ts';
import { FaultyLog, until } from './support.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const RECORDS = 3000;

async function filled(place: Pick<RunOptions, 'path' | 'transport'>, shape: Shape) {
  const parts = program(shape);
  const client = await connect(place);
  for (const [each, partitions] of parts.sizes) await client.topics.create(each, { partitions });
  await client.publishAll(parts.source, backlog(RECORDS));
  return { ...parts, client };
}

/** Windows behind shuffles on a real log, with stops on the way. */
describe('behind a shuffle nothing is late and all rows are the same, on an embedded log', () => {
  it.each(shapes)('%s', async (name) => {
    const path = mkdtempSync(join(tmpdir(), 'millrace-shuffle-time-'));
    folders.push(path);
    const shape = { name, sources: 5, shuffles: 3 };
    const { client, out, pipeline } = await filled({ path }, shape);
    const options = { applicationId: 'app', path, commitInterval: '0ms', batch: { count: 50 } } as const;
    let late = 0;
    for (let stops = 0; stops < 2; stops += 1) {
      const app = run(pipeline, options);
      await until('something is committed', () => app.snapshot().commits > 0);
      await app.stop();
      late += app.snapshot().late;
    }
    const last = run(pipeline, { ...options, until: 'end', openWindows: 'close' });
    await last.done;
    const rows: { key: string; timestamp: number; value: number }[] = [];
    await client.records(out, { from: 'earliest', until: 'end' }).forEach((row) => void rows.push(row));
    await client.close();
    expect(late + last.snapshot().late).toBe(0);
    expect(rowsOf(rows)).toEqual(expected(RECORDS, shape));
  });
});

describe('a shuffle that changes', () => {
  const shape: Shape = { name: 'one', sources: 2, shuffles: 3 };
  const options = { applicationId: 'app', commitInterval: '0ms', batch: { count: 50 }, until: 'end' } as const;

  it.each([false, true])(
    'has another number of writers from one start to the next (while it runs: %s)',
    async (runs) => {
      const transport = memoryTransport();
      const { client, out, pipeline, source } = await filled({ transport }, shape);
      const first = run(pipeline, { ...options, transport, ...(runs ? { until: undefined } : {}) } as RunOptions);
      if (runs) await until('some are read', () => first.snapshot().recordsIn > 100);
      else await first.done;
      await client.topics.addPartitions(source, 5);
      const more = backlog(RECORDS).map((record) => ({ ...record, timestamp: record.timestamp + RECORDS * 1000 }));
      await client.publishAll(source, more);
      if (runs) await first.stop();
      const last = run(pipeline, { ...options, transport, openWindows: 'close' });
      await last.done;
      const rows: { key: string; timestamp: number; value: number }[] = [];
      await client.records(out, { from: 'earliest', until: 'end' }).forEach((row) => void rows.push(row));
      await client.close();
      expect(first.snapshot().late + last.snapshot().late).toBe(0);
      const twice = [...expected(RECORDS, shape)].flatMap(([row, count]): [string, number][] => {
        const [key, start] = row.split(' ');
        return [
          [row, count],
          [`${key} ${Number(start) + RECORDS * 1000}`, count],
        ];
      });
      expect(rowsOf(rows)).toEqual(new Map(twice));
    },
  );

  it('holds records of a version that announced nothing', async () => {
    const { out, pipeline, shuffles, sizes, source } = program(shape);
    const log = new FaultyLog();
    for (const [{ name }, partitions] of sizes) log.create(name, partitions);
    const [shuffle] = shuffles;
    // One task was far ahead when the process was replaced.
    const all = backlog(2000).map((record) => ({ ...record, partition: record.value % 2 }));
    const left = all.filter(({ partition, value }) => partition === 0 && value < 1000);
    log.publish(
      shuffle as never,
      left.map(({ timestamp, value }) => ({ key: value % 400 === 0 ? 'seldom' : `${value % 7}`, value, timestamp })),
    );
    log.publish(
      source,
      all.filter((record) => !left.includes(record)),
    );
    const app = log.run(pipeline, { ...options, openWindows: 'close' });
    await app.done;
    expect(app.snapshot().late).toBe(0);
    expect(rowsOf(log.read(out))).toEqual(expected(2000, shape));
  });
});

describe('one partition everywhere', () => {
  const value = int32();
  const named = (name: string) => topic(name, { key: string(), value });
  const [left, right, first, second, third, out] = [
    named('left'),
    named('right'),
    named('first'),
    named('second'),
    named('third'),
    named('out'),
  ] as const;
  const all = keyBy<number, string>(() => 'all');

  it('joins what has passed two shuffles with what has passed one', async () => {
    const log = new FaultyLog();
    for (const { name } of [left, right, first, second, third, out]) log.create(name);
    const times = Array.from({ length: 1500 }, (_, n) => n * 10_000);
    log.publish(
      left,
      times.map((timestamp, n) => ({ key: 'any', value: n, timestamp })),
    );
    log.publish(
      right,
      times.map((timestamp, n) => ({ key: 'any', value: n, timestamp: timestamp + 500 })),
    );
    const paired = left.pipe(
      all,
      through(first),
      all,
      through(second),
      joinStream(right.pipe(all, through(third)), (_, n) => n, { store: 'pairs', within: '1s', grace: '0s' }),
      to(out),
    );
    const app = log.run(paired, { until: 'end' });
    await app.done;
    expect(app.snapshot().late).toBe(0);
    expect(log.values(out)).toEqual(times.map((_, n) => n));
  });

  it('counts rows of windows that overlap', async () => {
    const log = new FaultyLog();
    for (const { name } of [left, first, second, out]) log.create(name);
    log.publish(
      left,
      Array.from({ length: 700 }, (_, n) => ({ key: `${n % 7}`, value: n, timestamp: n * 1000 })),
    );
    const hops = hopping({ size: '20s', advance: '5s', grace: '0s' });
    const counted = left.pipe(
      through(first),
      windowBy(hops, agg.count(), { store: 'hops' }),
      all,
      through(second),
      windowBy(
        tumbling({ size: '1m', grace: '0s' }),
        agg.sum((n: number) => n),
        { store: 'minutes' },
      ),
      to(out),
    );
    const app = log.run(counted, { until: 'end', openWindows: 'close' });
    await app.done;
    expect(app.snapshot().late).toBe(0);
    // Each record lies in four windows, but for the first fifteen seconds: none begins before zero.
    const few = 5 * 3 + 5 * 2 + 5;
    expect(log.read(out).reduce((sum, row) => sum + (row.value ?? 0), 0)).toBe(700 * 4 - few);
  });
});

describe('before any time is known', () => {
  it('a batch begins, and lasts as long as it may', async () => {
    const { out, shuffles, sizes, source } = program({ name: 'one', sources: 2, shuffles: 1 });
    const log = new FaultyLog();
    for (const [{ name }, partitions] of sizes) log.create(name, partitions);
    const since = Date.UTC(2026, 0, 1);
    log.publish(
      source,
      backlog(500).map((record) => ({ ...record, timestamp: since + record.timestamp })),
    );
    const batched = source.pipe(
      keyBy(() => 'all'),
      through(shuffles[0] as typeof source),
      batch({ count: 1000, within: '1h', store: 'batches' }),
      mapValues((values) => values.length),
      to(out),
    );
    await log.run(batched, { until: 'end', openWindows: 'close', commitInterval: '0ms', batch: { count: 20 } }).done;
    expect(log.values(out)).toEqual([500]);
  });
});

describe('what tasks announce', () => {
  const shape: Shape = { name: 'two', sources: 4, shuffles: 3 };

  it('is not seen by those who read the shuffle', async () => {
    const transport = memoryTransport();
    const { client, pipeline, shuffles } = await filled({ transport }, shape);
    await run(pipeline, { applicationId: 'app', transport, until: 'end' }).done;
    for (const shuffle of shuffles) {
      const read: unknown[] = [];
      await client.records(shuffle, { from: 'earliest', until: 'end' }).forEach((record) => void read.push(record));
      expect(read).toHaveLength(RECORDS);
    }
    await client.close();
  });

  it('comes to an end: an application that has nothing to do writes nothing', async () => {
    const { out, pipeline, sizes, source } = program(shape);
    const log = new FaultyLog();
    for (const [{ name }, partitions] of sizes) log.create(name, partitions);
    const app = log.run(pipeline, { commitInterval: '0ms' });
    const quiet = async (): Promise<number> => {
      let before = -1;
      let same = 0;
      await until('no more calls', () => {
        const now = log.calls.filter((call) => call === 'commit' || call === 'send').length;
        same = now === before ? same + 1 : 0;
        before = now;
        return same > 200;
      });
      return before;
    };
    await quiet();
    log.publish(source, backlog(100));
    await until('records are counted', () => log.read(out).length > 0);
    const commits = await quiet();
    // A handful for a hundred records that come at once; a loop would go on for as long as somebody looks.
    expect(commits).toBeLessThan(100);
    expect(app.snapshot().waitingFor).toEqual([]);
    await app.stop();
  });

  it('says who holds back time', async () => {
    const { pipeline, sizes, source } = program({ name: 'one', sources: 2, shuffles: 1 });
    const log = new FaultyLog();
    for (const [{ name }, partitions] of sizes) log.create(name, partitions);
    log.publish(
      source,
      backlog(50).map((record) => ({ ...record, partition: record.value % 2 })),
    );
    const transport = async () =>
      shutting(await log.open(), (topic, partition) => topic === 'source' && partition === 1);
    const app = log.run(pipeline, { commitInterval: '0ms', transport });
    const wanted = 'task first/0 waits for the time of task source/1, which has not been heard of yet';
    await until(wanted, () => app.snapshot().waitingFor.includes(wanted));
    await app.stop();
  });
});

it('behind a shuffle that one task writes what is late does not depend on a shuffle that follows', async () => {
  const [value, key] = [json<number>(), string()];
  const source = topic('source', { key, value, partitions: 1 });
  const first = topic('first', { key, value, partitions: 2 });
  const second = topic('second', { key, value, partitions: 2 });
  const out = topic('out', { key, value, partitions: 2 });
  const again = keyBy<number, string>(() => 'all');
  const counted = source.pipe(
    again,
    through(first),
    windowBy(tumbling({ size: '10ms', grace: '0ms' }), agg.count(), { store: 'windows' }),
  );
  for (const pipeline of [
    counted.pipe(to(out)),
    counted.pipe(again, through(second), countByKey({ store: 'all' }), to(out)),
  ]) {
    const transport = memoryTransport();
    const client = await connect({ transport });
    await client.topics.create(source);
    // One hand-over for all of them: no announcement comes in between.
    await client.publishAll(
      source,
      [0, 20, 1].map((timestamp) => ({ key: 'a', value: 1, timestamp })),
    );
    const app = run(pipeline, { applicationId: 'app', transport, until: 'end', openWindows: 'close' });
    await app.done;
    await client.close();
    expect(app.snapshot().late).toBe(1);
  }
});
