import {
  asTable,
  countByKey,
  filterRows,
  joinRows,
  joinTable,
  json,
  mapRows,
  mapValues,
  nullable,
  string,
  type Table,
  table,
  to,
  topic,
  toStream,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { shown, thrown } from '../operators/operators.fixtures.ts';
import { memoryStores } from '../state/memory-backend.ts';

const left = table('left', { key: string(), value: json<number>() });
const right = table('right', { key: string(), value: json<number>() });
const lefts = topic('left', { key: nullable(string()), value: nullable(json<number>()) });
const rights = topic('right', { key: nullable(string()), value: nullable(json<number>()) });
const out = topic('out', { key: string(), value: json<readonly unknown[]>() });
const at = (key: string | null, value: number | null, timestamp: number) => ({ key, value, timestamp });

/** Old and new row of each change. */
const told = <V>(rows: Table<string, V>) =>
  rows.pipe(
    toStream(),
    mapValues((value, { before }) => [before, value] as const),
    to(out),
  );

const sum = (a: number | null, b: number | null) => (a ?? 0) + (b ?? 0);

describe('joinRows', () => {
  it('tells the row before, and deletes only what was there (TT-2, TT-3)', () => {
    const driver = new TestDriver(told(left.pipe(joinRows(right, sum, { store: 'sums' }))), { cacheEntries: 0 });
    driver.pipe(lefts, at('a', 1, 5));
    driver.pipe(rights, at('a', 10, 3));
    driver.restart();
    driver.pipe(rights, at('a', null, 4));
    driver.pipe(rights, at('a', null, 5));
    driver.pipe(lefts, at('a', null, 6));
    driver.pipe(lefts, at(null, 1, 6));
    expect(shown(driver.read(out))).toEqual(['a=[null,11]@5', 'a=[11,null]@5']);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
  });

  it('of a table with itself, or a view of it, knows both rows of a record', () => {
    const big = left.pipe(filterRows((n) => n > 1));
    const driver = new TestDriver(told(left.pipe(joinRows(big, sum, { store: 'sums', type: 'outer' }))));
    driver.pipeAll(lefts, [at('a', 1, 1), at('a', 2, 2), at('a', null, 3)]);
    expect(shown(driver.read(out))).toEqual(['a=[null,1]@1', 'a=[1,4]@2', 'a=[4,4]@2', 'a=[4,null]@3']);
  });

  it('joins aggregates and joined tables, and is joined with streams', () => {
    const orders = topic('orders', { key: string(), value: json<number>() });
    const questions = topic('questions', { key: string(), value: json<string>() });
    const counts = asTable(orders.pipe(countByKey({ store: 'counts' })));
    const three = counts.pipe(
      joinRows(left, (n, l) => n * l, { store: 'two', type: 'inner' }),
      joinRows(right, (n, r) => n + (r ?? 0), { store: 'three', type: 'left' }),
      mapRows((n) => -n),
    );
    const driver = new TestDriver(
      questions.pipe(
        joinTable(three, (text, n) => [text, n]),
        to(out),
      ),
    );
    driver.pipe(lefts, at('a', 5, 1));
    driver.pipeAll(orders, [
      { key: 'a', value: 1, timestamp: 1 },
      { key: 'a', value: 1, timestamp: 2 },
    ]);
    driver.pipe(questions, { key: 'a', value: 'x', timestamp: 3 });
    driver.pipe(rights, at('a', 1, 4));
    driver.pipe(questions, { key: 'a', value: 'y', timestamp: 5 });
    expect(shown(driver.read(out))).toEqual(['a=["x",-10]@3', 'a=["y",-11]@5']);
  });

  it('has no row where the function fails, and deletes the one that was there', () => {
    const driver = new TestDriver(
      told(
        left.pipe(
          joinRows(
            right,
            (a, b) => {
              if (a + b > 10) throw new Error('too much');
              return a + b;
            },
            { store: 'sums' },
          ),
        ),
      ),
      { onRecordError: 'skip' },
    );
    driver.pipe(rights, at('a', 1, 1));
    driver.pipeAll(lefts, [at('a', 1, 2), at('a', 10, 3), at('a', 2, 4)]);
    expect(shown(driver.read(out))).toEqual(['a=[null,2]@2', 'a=[2,null]@3', 'a=[null,3]@4']);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
  });

  it('knows the rows from before its store was added', () => {
    const stores = memoryStores();
    const before = new TestDriver([told(left), right.pipe(toStream())], { stores });
    before.pipe(lefts, at('a', 1, 1));
    before.pipe(rights, at('a', 2, 2));
    const questions = topic('questions', { key: string(), value: json<string>() });
    const sums = left.pipe(joinRows(right, sum, { store: 'sums' }));
    const after = new TestDriver(
      questions.pipe(
        joinTable(sums, (text, n) => [text, n]),
        to(out),
      ),
      { stores },
    );
    after.pipe(questions, { key: 'a', value: 'x', timestamp: 3 });
    expect(shown(after.read(out))).toEqual(['a=["x",3]@3']);
  });

  it('drops and counts what comes out of order in a table with history (TT-3)', () => {
    const kept = table('left', { key: string(), value: json<number>(), history: '10ms' });
    const driver = new TestDriver(told(kept.pipe(joinRows(right, sum, { store: 'sums', type: 'left' }))));
    driver.pipeAll(lefts, [at('a', 1, 10), at('a', 2, 5), at('a', 3, 10)]);
    expect(shown(driver.read(out))).toEqual(['a=[null,1]@10', 'a=[1,3]@10']);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
  });

  it('is refused with what is no table, other keys, and options that are none', () => {
    expect(thrown(() => joinRows(lefts as never, sum, { store: 's' }))).toMatchObject({ code: 'ERR_OPTION' });
    expect(thrown(() => joinRows(right, sum, {} as never))).toMatchObject({ code: 'ERR_STORE_NAME' });
    expect(thrown(() => joinRows(right, sum, { store: 's', type: 'full' } as never))).toMatchObject({
      code: 'ERR_OPTION',
    });
    const other = table('other', { key: json<string>(), value: json<number>() });
    expect(thrown(() => new TestDriver(told(left.pipe(joinRows(other, sum, { store: 's' })))))).toMatchObject({
      code: 'ERR_KEY_SERDES',
    });
  });
});
