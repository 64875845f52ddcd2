import {
  agg,
  aggregate,
  asTable,
  countByKey,
  filterRows,
  filterValues,
  joinTable,
  json,
  keyBy,
  mapRows,
  mapValues,
  nullable,
  reduceByKey,
  string,
  table,
  through,
  to,
  topic,
  toStream,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { shown, thrown } from '../operators/operators.fixtures.ts';

const orders = topic('orders', { key: nullable(string()), value: nullable(json<number>()) });
const output = topic('output', { key: nullable(string()), value: json<string>() });
const changes = topic('changes', { key: string(), value: json<readonly (number | null)[]>() });
const at = (key: string | null, value: number | null, timestamp: number) => ({ key, value, timestamp });
/** Adds up; a zero deletes. */
const clearing = agg.custom({ init: () => 0, add: (sum, n: number) => (n === 0 ? null : sum + n) });

describe('aggregates emit changes', () => {
  it('with the row before; a deletion also where there was none (AG-1)', () => {
    const sums = orders.pipe(
      aggregate(clearing, { store: 'sums' }),
      mapValues((sum, { before }) => [before, sum]),
      to(changes),
    );
    const driver = new TestDriver(sums);
    driver.pipeAll(orders, [at('a', 1, 1), at('a', 2, 2), at('b', 0, 3)]);
    driver.restart();
    driver.pipeAll(orders, [at('a', 0, 4), at('a', 5, 5)]);
    const rows = ['a=[null,1]@1', 'a=[1,3]@2', 'b=[null,null]@3', 'a=[3,null]@4', 'a=[null,5]@5'];
    expect(shown(driver.read(changes))).toEqual(rows);
  });

  it('whose row before is the result, not the state', () => {
    const means = orders.pipe(
      aggregate({ mean: agg.mean((n) => n), n: agg.count() }, { store: 's' }),
      mapValues((row, { before }) => [before?.mean ?? null, row.mean]),
      to(changes),
    );
    const driver = new TestDriver(means, { cacheEntries: 0 });
    driver.pipeAll(orders, [at('a', 1, 1), at('a', 3, 2), at('a', 5, 3)]);
    expect(shown(driver.read(changes))).toEqual(['a=[null,1]@1', 'a=[1,2]@2', 'a=[2,3]@3']);
  });
});

describe('asTable of an aggregate', () => {
  it('needs no second store, and leaves deletions of nothing out (TT-3)', () => {
    const sums = asTable(orders.pipe(aggregate(clearing, { store: 'sums' })));
    const pipeline = sums.pipe(
      toStream(),
      mapValues((sum, { before }) => [before, sum]),
      to(changes),
    );
    const driver = new TestDriver(pipeline);
    driver.pipeAll(orders, [at('a', 1, 1), at('b', 0, 2), at('a', 0, 3), at('a', 0, 4)]);
    expect(shown(driver.read(changes))).toEqual(['a=[null,1]@1', 'a=[1,null]@3']);
    expect(driver.tasks().flatMap(({ stores }) => stores.map(({ name }) => name))).toEqual(['sums']);
  });

  it('is joined with: by another stream, and by the stream that it is made of, which sees its own record', () => {
    const counts = asTable(orders.pipe(countByKey({ store: 'counts' })));
    const numbered = orders.pipe(
      filterValues((n) => n !== null),
      joinTable(counts, (n, count) => `${n} is number ${count}`),
      to(output),
    );
    const driver = new TestDriver(numbered);
    driver.pipeAll(orders, [at('a', 7, 1), at('b', 8, 2), at('a', 9, 3)]);
    driver.restart();
    driver.pipe(orders, at('a', 5, 4));
    expect(shown(driver.read(output))).toEqual([
      'a="7 is number 1"@1',
      'b="8 is number 1"@2',
      'a="9 is number 2"@3',
      'a="5 is number 3"@4',
    ]);
  });

  it('carries views, which are joined with too', () => {
    const frequent = asTable(orders.pipe(countByKey({ store: 'counts' }))).pipe(
      filterRows((count) => count > 1),
      mapRows((count) => `${count} times`),
    );
    const driver = new TestDriver(
      orders.pipe(
        joinTable(frequent, (n, text) => `${n} came ${text}`),
        to(output),
      ),
    );
    driver.pipeAll(orders, [at('a', 7, 1), at('b', 8, 2), at('a', 9, 3)]);
    expect(shown(driver.read(output))).toEqual(['a="9 came 2 times"@3']);
  });

  it('works below a shuffle, over partitions', () => {
    const byParity = topic('by-parity', { key: string(), value: json<number>() });
    const shuffled = topic('numbers', { value: json<number>() }).pipe(
      keyBy((n) => (n % 2 === 0 ? 'even' : 'odd')),
      through(byParity),
    );
    const highest = asTable(shuffled.pipe(reduceByKey((l, r) => Math.max(l, r), { store: 'highest' })));
    const source = topic('numbers', { value: json<number>() });
    const driver = new TestDriver(
      shuffled.pipe(
        joinTable(highest, (n, top) => `${n} of ${top}`),
        to(output),
      ),
      { partitions: 3 },
    );
    driver.pipeAll(
      source,
      [1, 4, 3, 2].map((value) => ({ value, timestamp: value })),
    );
    expect(shown(driver.read(output)).sort()).toEqual([
      'even="2 of 4"@2',
      'even="4 of 4"@4',
      'odd="1 of 1"@1',
      'odd="3 of 3"@3',
    ]);
  });

  it('is refused without a store where another step stands between', () => {
    const counted = orders.pipe(countByKey({ store: 'counts' }));
    const expected = { code: 'ERR_STORE_NAME', hint: expect.stringContaining('store') };
    expect(thrown(() => asTable(counted.pipe(filterValues((n) => n > 1))))).toMatchObject(expected);
    expect(thrown(() => asTable(counted.pipe(map((change) => change))))).toMatchObject(expected);
  });

  it('gives a table back for its own changes', () => {
    const users = table('users', { key: string(), value: json<string>() });
    expect(asTable(users.pipe(toStream()))).toBe(users);
  });
});

describe('asTable of a stream', () => {
  const newest = asTable(orders, { store: 'newest' });
  const told = newest.pipe(
    toStream(),
    mapValues((value, { before }) => [before, value]),
    to(changes),
  );

  it('keeps the newest row of each key in its store; null deletes, a null key is dropped (TM-9, TM-10)', () => {
    for (const cacheEntries of [0, 100]) {
      const driver = new TestDriver(told, { cacheEntries });
      driver.pipeAll(orders, [at('a', 1, 10), at('a', 2, 5), at(null, 3, 6), at('b', 4, 7), at('c', null, 8)]);
      driver.restart();
      driver.pipeAll(orders, [at('a', null, 9), at('a', null, 9)]);
      expect(shown(driver.read(changes))).toEqual(['a=[null,1]@10', 'a=[1,2]@5', 'b=[null,4]@7', 'a=[2,null]@9']);
      expect([...driver.store('newest').entries()]).toEqual([{ key: 'b', value: 4, timestamp: 7 }]);
    }
  });

  it('is joined with', () => {
    const other = topic('questions', { key: string(), value: json<string>() });
    const driver = new TestDriver(
      other.pipe(
        joinTable(newest, (text, n) => `${text} ${n}`),
        to(output),
      ),
    );
    driver.pipeAll(orders, [at('a', 1, 1), at('a', 2, 2)]);
    driver.pipe(other, { key: 'a', value: 'is', timestamp: 3 });
    expect(shown(driver.read(output))).toEqual(['a="is 2"@3']);
  });

  it('refuses names and options that are wrong', () => {
    expect(thrown(() => asTable(undefined as never))).toMatchObject({ code: 'ERR_OPTION' });
    expect(thrown(() => asTable(orders, { store: '' }))).toMatchObject({ code: 'ERR_STORE_NAME' });
    expect(thrown(() => asTable(orders, { store: 's', serde: string() } as never))).toMatchObject({
      code: 'ERR_OPTION',
    });
  });
});
