import {
  filterRows,
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

const numbers = table('numbers', { key: string(), value: json<number>() });
const rows = topic('numbers', { key: string(), value: nullable(json<number>()) });
const input = topic('input', { key: string(), value: json<string>() });
const output = topic('output', { key: string(), value: json<string>() });
const changes = topic('changes', { key: string(), value: json<readonly (number | null)[]>() });
const at = (key: string, value: number | null, timestamp: number) => ({ key, value, timestamp });

const told = (view: Table<string, number>) =>
  view.pipe(
    toStream(),
    mapValues((value, { before }) => [before, value]),
    to(changes),
  );
const looked = (view: Table<string, number>) =>
  input.pipe(
    joinTable(view, (text, n) => `${text}${n}`, { type: 'left' }),
    to(output),
  );

describe.each([
  ['computed', {}],
  ['stored', { store: 'view' }],
  ['stored by a serde', { store: 'view', value: json<number>() }],
])('a view that is %s', (_how, options) => {
  const even = numbers.pipe(filterRows((n) => n % 2 === 0, options));
  const tens = numbers.pipe(mapRows((n) => n * 10, options));

  it('filters: what no longer passes is deleted, what was not there is not (TT-3)', () => {
    const driver = new TestDriver([told(even), looked(even)]);
    driver.pipeAll(rows, [at('a', 2, 1), at('a', 3, 2), at('a', 5, 3), at('b', 1, 4), at('a', 4, 5), at('a', null, 6)]);
    driver.pipe(rows, at('a', null, 7));
    expect(shown(driver.read(changes))).toEqual(['a=[null,2]@1', 'a=[2,null]@2', 'a=[null,4]@5', 'a=[4,null]@6']);
    driver.pipe(rows, at('b', 8, 8));
    driver.pipeAll(input, [
      { key: 'a', value: 'a', timestamp: 9 },
      { key: 'b', value: 'b', timestamp: 9 },
    ]);
    expect(shown(driver.read(output))).toEqual(['a="anull"@9', 'b="b8"@9']);
  });

  it('maps: old and new row, and what a join finds', () => {
    const driver = new TestDriver([told(tens), looked(tens)]);
    driver.pipeAll(rows, [at('a', 2, 1), at('a', 0, 2)]);
    driver.restart();
    driver.pipe(input, { key: 'a', value: 'x', timestamp: 3 });
    driver.pipe(rows, at('a', null, 4));
    driver.pipe(input, { key: 'a', value: 'y', timestamp: 5 });
    expect(shown(driver.read(changes))).toEqual(['a=[null,20]@1', 'a=[20,0]@2', 'a=[0,null]@4']);
    expect(shown(driver.read(output))).toEqual(['a="x0"@3', 'a="ynull"@5']);
  });

  it('has no row where the function returns null', () => {
    const some = numbers.pipe(mapRows((n) => (n < 0 ? null : n), options));
    const driver = new TestDriver(told(some));
    driver.pipeAll(rows, [at('a', -1, 1), at('a', 1, 2), at('a', -2, 3)]);
    expect(shown(driver.read(changes))).toEqual(['a=[null,1]@2', 'a=[1,null]@3']);
  });

  it('has no row for which the function fails: what was there is deleted, and the failure goes to the policy', () => {
    const fragile = numbers.pipe(
      mapRows((n) => {
        if (n === 13) throw new Error('unlucky');
        return n;
      }, options),
    );
    const driver = new TestDriver([told(fragile), looked(fragile)], { onRecordError: 'skip' });
    driver.pipeAll(rows, [at('a', 1, 1), at('a', 13, 2), at('a', 13, 3)]);
    driver.pipe(input, { key: 'a', value: 'x', timestamp: 4 });
    driver.pipe(rows, at('a', 2, 5));
    expect(shown(driver.read(changes))).toEqual(['a=[null,1]@1', 'a=[1,null]@2', 'a=[null,2]@5']);
    expect(driver.read(output), 'a look-up that fails is a failure of the record that looks').toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 3 });
    const strict = new TestDriver(told(fragile));
    expect(thrown(() => strict.pipe(rows, at('a', 13, 1)))).toMatchObject({
      message: expect.stringContaining('unlucky'),
    });
  });

  it('stands on another view', () => {
    const both = even.pipe(
      mapRows((n) => n / 2),
      filterRows((n) => n > 1),
    );
    const driver = new TestDriver([told(both), looked(both)]);
    driver.pipeAll(rows, [at('a', 2, 1), at('a', 8, 2), at('a', 7, 3), at('b', 6, 4)]);
    driver.pipe(input, { key: 'b', value: 'x', timestamp: 5 });
    expect(shown(driver.read(changes))).toEqual(['a=[null,4]@2', 'a=[4,null]@3', 'b=[null,3]@4']);
    expect(shown(driver.read(output))).toEqual(['b="x3"@5']);
  });

  it('is looked into by the stream of its own changes, after the change', () => {
    const own = tens.pipe(
      toStream(),
      mapValues((n) => `${n} `),
      joinTable(tens, (text, n) => `${text}${n}`, { type: 'left' }),
      to(output),
    );
    const driver = new TestDriver(own);
    driver.pipeAll(rows, [at('a', 1, 1), at('a', 2, 2), at('a', null, 3)]);
    expect(shown(driver.read(output))).toEqual(['a="10 10"@1', 'a="20 20"@2', 'a="null null"@3']);
  });
});

describe('a stored view', () => {
  it('keeps its rows where they can be read, and calls the function once for each change', () => {
    let calls = 0;
    const squares = numbers.pipe(
      mapRows(
        (n) => {
          calls += 1;
          return n * n;
        },
        { store: 'squares' },
      ),
    );
    const driver = new TestDriver(told(squares));
    driver.pipeAll(rows, [at('a', 2, 1), at('a', 3, 2), at('b', 5, 3)]);
    expect([...driver.store('squares').entries()]).toEqual([
      { key: 'a', value: 9, timestamp: 2 },
      { key: 'b', value: 25, timestamp: 3 },
    ]);
    expect(calls, 'and once for the row that was there before the first change of a key').toBe(3);
  });

  it('that is added later knows the rows from before', () => {
    const stores = memoryStores();
    const before = new TestDriver(looked(numbers), { stores });
    before.pipeAll(rows, [at('a', 2, 1), at('b', 3, 1)]);
    const view = numbers.pipe(mapRows((n) => n * 10, { store: 'added' }));
    const after = new TestDriver([looked(view), told(view)], { stores });
    after.pipe(input, { key: 'a', value: 'x', timestamp: 2 });
    after.pipe(rows, at('b', null, 3));
    expect(shown(after.read(output))).toEqual(['a="x20"@2']);
    expect(shown(after.read(changes))).toEqual(['b=[30,null]@3']);
  });

  it('refuses a store that another step wrote', () => {
    const stores = memoryStores();
    const before = new TestDriver(told(numbers.pipe(mapRows((n) => n, { store: 'kept' }))), { stores });
    before.pipe(rows, at('a', 1, 1));
    expect(
      () => new TestDriver(told(numbers.pipe(mapRows((n) => n, { store: 'kept', value: json<number>() }))), { stores }),
    ).toThrow(expect.objectContaining({ code: 'ERR_STORE_INCOMPATIBLE' }));
    expect(() => new TestDriver(told(numbers.pipe(filterRows(() => true, { store: 'kept' }))), { stores })).toThrow(
      expect.objectContaining({ code: 'ERR_STORE_INCOMPATIBLE' }),
    );
  });
});

it('functions of views are synchronous, and options are known', () => {
  const later = (async (n: number) => n > 1) as unknown as (n: number) => boolean;
  expect(thrown(() => filterRows(later))).toMatchObject({ code: 'ERR_ASYNC_FUNCTION' });
  expect(thrown(() => mapRows(later))).toMatchObject({ code: 'ERR_ASYNC_FUNCTION' });
  expect(thrown(() => mapRows(undefined as never))).toMatchObject({ code: 'ERR_OPTION' });
  const hidden = numbers.pipe(filterRows((n) => Promise.resolve(n > 1) as unknown as boolean));
  expect(thrown(() => new TestDriver(told(hidden)).pipe(rows, at('a', 1, 1)))).toMatchObject({
    code: 'ERR_ASYNC_FUNCTION',
  });
  expect(thrown(() => mapRows((n) => n, { stor: 'x' } as never))).toMatchObject({ code: 'ERR_OPTION' });
  expect(thrown(() => numbers.pipe(mapRows((n) => n, { store: 'a/b' })))).toMatchObject({ code: 'ERR_STORE_NAME' });
});
