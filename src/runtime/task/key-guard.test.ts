import {
  agg,
  bytes,
  countByKey,
  joinTable,
  json,
  keyBy,
  mapAsync,
  mapValues,
  nullable,
  reduceByKey,
  type StreamRecord,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { bufferCount, map, mergeMap, type Observable, type OperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { MillraceError } from '../../errors.ts';
import { partitionForText } from '../../protocol/partitioner.ts';

type Click = { readonly user: string };
type Row = StreamRecord<string, Click>;

const clicks = topic('clicks', { key: string(), value: json<Click>() });
const byUser = topic('by-user', { key: string(), value: json<Click>() });
const users = table('users', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json() });
const minute = tumbling({ size: '1m', grace: '0s' });
const partitions = 4;

const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
const rows = keys.map((key, timestamp) => ({ key, value: { user: 'ada' }, timestamp }));
/** As a producer with another partitioner would place them. */
const elsewhere = rows.map((row) => ({ ...row, partition: (partitionForText(row.key, partitions) + 1) % partitions }));

/** What people write who know RxJS. */
const byUserInPlace = map((row: Row): Row => ({ ...row, key: row.value.user }));

function thrown(work: () => unknown): MillraceError {
  try {
    work();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('nothing was thrown');
}

const keyed: Record<string, OperatorFunction<Row, unknown>> = {
  'countByKey(s)': countByKey({ store: 's' }) as OperatorFunction<Row, unknown>,
  'reduceByKey(r)': reduceByKey((_, click: Click) => click, { store: 'r' }) as OperatorFunction<Row, unknown>,
  'windowBy(w)': windowBy(minute, agg.count(), { store: 'w' }) as OperatorFunction<Row, unknown>,
  'joinTable(users)': joinTable(users, (click: Click) => click, { type: 'left' }),
};

describe('a key that an RxJS operator replaced', () => {
  it.each(Object.entries(keyed))('is noticed before %s', (step, operator) => {
    const driver = new TestDriver(clicks.pipe(byUserInPlace, operator), { partitions, onRecordError: 'skip' });
    const error = thrown(() => driver.pipeAll(clicks, rows));
    expect(error).toMatchObject({ code: 'ERR_KEY_CHANGED', errorClass: 'config', step, topic: 'clicks', offset: 0 });
    expect(error.message).toMatch(
      /"ada" belongs in partition 1 of 4, .* partition \d, .* with the key "\w".* keyBy.*through/,
    );
  });

  it('is noticed later too, where most records keep theirs', () => {
    let count = 0;
    const sometimes = map((row: Row): Row => ((count += 1) > 8000 ? { ...row, key: `${row.key}!` } : row));
    const driver = new TestDriver(clicks.pipe(sometimes, countByKey({ store: 's' })), { partitions });
    const many = (from: number) =>
      Array.from({ length: 8000 }, (_, n) => ({ key: `${from + n}`, value: { user: 'ada' }, timestamp: n }));
    driver.pipeAll(clicks, many(0));
    expect(thrown(() => driver.pipeAll(clicks, many(8000)))).toMatchObject({ code: 'ERR_KEY_CHANGED' });
  });

  it('is noticed behind a window, an asynchronous call and other steps', () => {
    const renamed = clicks.pipe(
      windowBy(minute, agg.count(), { store: 'w', emit: 'updates' }),
      mapValues((n) => n),
      map((row) => ({ ...row, key: 'all' })),
      countByKey({ store: 's' }),
    );
    const driver = new TestDriver(renamed, { partitions });
    expect(thrown(() => driver.pipeAll(clicks, rows))).toMatchObject({
      code: 'ERR_KEY_CHANGED',
      step: 'countByKey(s)',
    });
  });

  it('is noticed behind mapAsync', async () => {
    const pipeline = clicks.pipe(
      byUserInPlace,
      mapAsync(async (click: Click) => click),
      countByKey({ store: 's' }),
    );
    const driver = new TestDriver(pipeline, { partitions });
    driver.pipeAll(clicks, rows);
    await expect(driver.settled()).rejects.toMatchObject({ code: 'ERR_KEY_CHANGED' });
  });

  it('is noticed where the record had none', () => {
    const loose = topic('clicks', { key: nullable(string()), value: json<Click>() });
    const driver = new TestDriver(
      loose.pipe(
        map((row) => ({ ...row, key: row.value.user })),
        countByKey({ store: 's' }),
      ),
      { partitions },
    );
    const error = thrown(() => driver.pipe(loose, { value: { user: 'ada' }, partition: 0 }));
    expect(error).toMatchObject({ code: 'ERR_KEY_CHANGED', message: expect.stringMatching(/without a key/) });
  });

  it('may be one that lies where it belongs, or go through a topic', () => {
    const upper = clicks.pipe(
      map((row) => ({ ...row, key: row.key })),
      countByKey({ store: 's' }),
      to(out),
    );
    const driver = new TestDriver(upper, { partitions });
    driver.pipeAll(clicks, rows);
    expect(driver.read(out)).toHaveLength(rows.length);
    const moved = clicks.pipe(
      keyBy(({ user }) => user),
      through(byUser),
      countByKey({ store: 's' }),
      to(out),
    );
    const right = new TestDriver(moved, { partitions });
    right.pipeAll(clicks, rows);
    expect(right.read(out).at(-1)).toMatchObject({ key: 'ada', value: rows.length });
    const single = new TestDriver(clicks.pipe(byUserInPlace, countByKey({ store: 's' }), to(out)));
    single.pipeAll(clicks, rows);
    expect(single.read(out).at(-1)).toMatchObject({ key: 'ada', value: rows.length });
  });
});

describe('records that their producer put elsewhere', () => {
  const pipelines: Record<string, (from: typeof clicks) => Observable<unknown>> = {
    aggregate: (from) => from.pipe(countByKey({ store: 's' })),
    'a join behind windows that close': (from) =>
      from.pipe(
        windowBy(tumbling({ size: '1ms', grace: '0s' }), agg.count(), { store: 'w' }),
        joinTable(users, (n) => n, { type: 'left' }),
      ),
    'windows of windows': (from) =>
      from.pipe(
        windowBy(tumbling({ size: '1ms', grace: '0s' }), agg.count(), { store: 'w' }),
        windowBy(tumbling({ size: '1ms', grace: '0s' }), agg.count(), { store: 'v' }),
        countByKey({ store: 's' }),
      ),
    'records that come later than they were read': (from) =>
      from.pipe(
        bufferCount(2),
        mergeMap((pair) => pair),
        countByKey({ store: 's' }),
      ),
    'records whose key was made again': (from) =>
      from.pipe(
        map((row) => ({ ...row, key: row.key.slice(0) })),
        countByKey({ store: 's' }),
      ),
  };

  it.each(Object.entries(pipelines))('are nobody’s mistake here: %s', (_name, make) => {
    const driver = new TestDriver(make(clicks), { partitions });
    // Twice, so that windows close in the turns of other keys, and at the end without any.
    driver.pipeAll(clicks, elsewhere);
    driver.pipeAll(
      clicks,
      elsewhere.map((row) => ({ ...row, timestamp: row.timestamp + 100 })),
    );
    driver.end('close');
    expect(driver.tasks().every(({ skipped }) => skipped === 0)).toBe(true);
  });

  it('say nothing of a new key either: nobody knows where it belongs', () => {
    const driver = new TestDriver(clicks.pipe(byUserInPlace, countByKey({ store: 's' })), { partitions });
    driver.pipeAll(clicks, elsewhere);
  });

  it('are fine behind mapAsync below windows', async () => {
    const pipeline = clicks.pipe(
      windowBy(tumbling({ size: '1ms', grace: '0s' }), agg.count(), { store: 'w' }),
      mapAsync(async (n: number) => n),
      joinTable(users, (n) => n, { type: 'left' }),
    );
    const driver = new TestDriver(pipeline, { partitions });
    for (let more = 0; more < 3; more += 1) {
      driver.pipeAll(
        clicks,
        elsewhere.map((row) => ({ ...row, timestamp: row.timestamp + more * 100 })),
      );
      await driver.settled();
    }
  });

  it('may write the same key in other bytes', () => {
    const raw = topic('spaced', { key: bytes(), value: json<Click>() });
    const spaced = topic('spaced', { key: json<{ id: number }>(), value: json<Click>() });
    const driver = new TestDriver(spaced.pipe(countByKey({ store: 's' })), { partitions });
    for (let id = 0; id < 20; id += 1) {
      driver.pipe(raw, { key: new TextEncoder().encode(`{ "id": ${id} }`), value: { user: 'ada' } });
    }
    expect(driver.tasks().reduce((sum, { recordsIn }) => sum + recordsIn, 0)).toBe(20);
  });
});
