import {
  agg,
  aggregate,
  asTable,
  countByKey,
  json,
  keyValue,
  mapValues,
  process,
  string,
  table,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { describe, expect, it } from 'vitest';
import { FaultyLog, out, source, until } from './support.ts';

const at = (key: string, value = 1, timestamp = value) => ({ key, value, timestamp });
const records = Array.from({ length: 40 }, (_, n) => at(`k${n % 8}`, n, n));

describe('app.store', () => {
  it('reads rows of all partitions while the application runs, and fills no cache', async () => {
    const log = new FaultyLog().create('source', 3);
    log.publish(source, records);
    const app = log.run(source.pipe(countByKey({ store: 'counts' }), to(out)), { cacheEntries: 2 });
    await app.ready;
    const counts = app.store<string, number>('counts');
    await until('all is counted', () => [...counts.entries()].reduce((sum, { value }) => sum + value, 0) === 40);
    expect(counts.partitions).toEqual([0, 1, 2]);
    expect(counts.get('k3')).toEqual({ key: 'k3', value: 5, timestamp: 35 });
    expect(counts.get('nobody')).toBeUndefined();
    const cached = () => app.snapshot().tasks.map(({ stores }) => stores.map((store) => store.cached));
    await until('all is committed', () =>
      app.snapshot().tasks.every(({ stores }) => stores.every(({ dirty }) => dirty === 0)),
    );
    const before = cached();
    expect([...counts.entries()]).toHaveLength(8);
    for (let n = 0; n < 8; n += 1) expect(counts.get(`k${n}`)?.value).toBe(5);
    expect(cached()).toEqual(before);
    await app.stop();
    expect(counts.partitions).toEqual([]);
    expect(() => counts.get('k3')).toThrow(expect.objectContaining({ code: 'ERR_STATE_ELSEWHERE' }));
    expect(() => counts.get('k3')).toThrow('this process has no partition of it: the application');
    // No entries and no application are not the same.
    expect(() => [...counts.entries()]).toThrow(expect.objectContaining({ code: 'ERR_STATE_ELSEWHERE' }));
    expect(() => [...counts.entries()]).toThrow('the application has ended, and store counts is closed');
  });

  it('reads windows of a key, rows of tables, and stores of process steps by what declared them', async () => {
    const log = new FaultyLog().create('source', 2).create('names', 2);
    log.publish(source, records);
    const names = table('names', { key: string(), value: json<string>() });
    log.publish(topic('names', { key: string(), value: json<string>() }), [{ key: 'k1', value: 'one', timestamp: 3 }]);
    const last = keyValue('last', { value: json<number>() });
    const sums = asTable(source.pipe(aggregate({ sum: agg.sum((n) => n) }, { store: 'sums' })));
    const app = log.run([
      source.pipe(windowBy(tumbling({ size: '10ms', grace: '1s' }), agg.count(), { store: 'windows' }), to(out)),
      names.changes,
      sums.changes,
      source.pipe(
        process({
          name: 'remember',
          stores: { last },
          next: ({ value }, { key, stores }) => stores.last.set(key, value),
        }),
        mapValues(() => 0),
        to(out),
      ),
    ]);
    await app.ready;
    const store = app.store(last);
    await until(
      'rows are there',
      () => [...store.entries()].length === 8 && [...app.store('names').entries()].length === 1,
    );
    await until('windows are there', () => [...app.store('windows').entries()].length === 32);
    await until('the last one is there', () => store.get('k7' as never)?.value === 39);
    const windows = app.store<string, number>('windows');
    expect([...windows.windowsOf('k1')].map(({ value, window }) => [window?.start, value])).toEqual([
      [0, 2],
      [10, 1],
      [20, 1],
      [30, 1],
    ]);
    expect([...windows.windowsOf('k1', 10, 20)]).toHaveLength(2);
    expect(windows.get('k1', { start: 0, end: 10 })?.value).toBe(2);
    expect(app.store<string, string>('names').get('k1')).toEqual({ key: 'k1', value: 'one', timestamp: 3 });
    expect(app.store('sums').get('k1')?.value).toEqual({ sum: 85 });
    expect(() => windows.get('k1')).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(() => [...app.store('sums').windowsOf('k1')]).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
    expect(() => app.store('sum')).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_STORE' }));
    await app.stop();
  });
});
