import {
  agg,
  aggregate,
  asTable,
  type Change,
  cogroup,
  countByKey,
  joinRows,
  joinTable,
  json,
  keyBy,
  mapRows,
  mapValues,
  nullable,
  reduceByKey,
  regroup,
  string,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { shown, thrown } from '../operators/operators.fixtures.ts';

const source = topic('rows', { key: string(), value: nullable(json<number>()) });
const rows = (ttl?: '10ms') =>
  table('rows', { key: string(), value: json<number>(), ...(ttl === undefined ? {} : { ttl }) });
const output = topic('output', { key: string(), value: json<readonly (number | string | null)[]>() });
const questions = topic('questions', { key: string(), value: json<string>() });
const at = (key: string, value: number | null, timestamp: number) => ({ key, value, timestamp });
type Number = Change<string, number>;
const spoken = map((change: Number) => ({ ...change, value: [change.before, change.value] }));

describe('a table with ttl', () => {
  const pipeline = (ttl?: '10ms') => rows(ttl).pipe(toStream(), spoken, to(output));

  it('deletes rows when stream time has come to their end, by that time, before the record that moves it', () => {
    const driver = new TestDriver(pipeline('10ms'));
    driver.pipeAll(source, [at('b', 1, 0), at('a', 2, 0), at('c', 3, 4), at('a', 4, 6), at('c', 5, 9)]);
    expect(shown(driver.read(output)).slice(4)).toEqual(['c=[3,5]@9']);
    driver.pipe(source, at('d', 1, 16));
    expect(shown(driver.read(output))).toEqual(['b=[1,null]@10', 'a=[4,null]@16', 'd=[null,1]@16']);
    driver.restart();
    driver.pipe(source, at('b', 2, 19));
    expect(shown(driver.read(output))).toEqual(['c=[5,null]@19', 'b=[null,2]@19']);
    expect([...driver.store('rows').entries()].map(({ key }) => key)).toEqual(['b', 'd']);
  });

  it('gives a row no shorter life for an older write, which counts nevertheless', () => {
    const driver = new TestDriver(pipeline('10ms'), { cacheEntries: 0 });
    driver.pipeAll(source, [at('a', 1, 20), at('a', 2, 3), at('b', 1, 29), at('b', 2, 30)]);
    expect(shown(driver.read(output))).toEqual([
      'a=[null,1]@20',
      'a=[1,2]@3',
      'b=[null,1]@29',
      'a=[2,null]@30',
      'b=[1,2]@30',
    ]);
  });

  it('drops and counts what has ended when it comes; deletes by an old tombstone', () => {
    const driver = new TestDriver(pipeline('10ms'));
    driver.pipeAll(source, [at('a', 1, 20), at('b', 1, 10), at('c', 1, 11), at('a', null, 1), at('x', null, 1)]);
    expect(shown(driver.read(output))).toEqual(['a=[null,1]@20', 'c=[null,1]@11', 'a=[1,null]@1']);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
    driver.pipe(source, at('a', 5, 40));
    expect(shown(driver.read(output))).toEqual(['c=[1,null]@21', 'a=[null,5]@40']);
  });

  it('is not found by records that look when its row has ended, and is removed right after them', () => {
    const carts = rows('10ms');
    const driver = new TestDriver([
      questions.pipe(
        joinTable(carts.pipe(mapRows((n) => n * 10)), (text, n) => [text, n], { type: 'left' }),
        to(output),
      ),
      carts.pipe(toStream(), spoken, to(output)),
    ]);
    driver.pipe(source, at('a', 1, 0));
    driver.pipe(questions, { key: 'a', value: 'in time', timestamp: 9 });
    driver.pipe(questions, { key: 'a', value: 'late', timestamp: 10 });
    driver.restart();
    driver.pipe(source, at('a', 2, 1));
    driver.pipe(questions, { key: 'a', value: 'again', timestamp: 3 });
    expect(shown(driver.read(output))).toEqual([
      'a=[null,1]@0',
      'a=["in time",10]@9',
      'a=["late",null]@10',
      'a=[1,null]@10',
      'a=[null,2]@1',
      'a=["again",20]@3',
    ]);
  });

  it('takes its rows out of what is made of it: views with stores, joined rows, groups', () => {
    const left = rows('10ms');
    const right = table('right', { key: string(), value: json<number>() });
    const joined = left.pipe(joinRows(right, (one, other) => [one, other], { store: 'joined', type: 'outer' }));
    const kept = left.pipe(mapRows((n) => n + 1, { store: 'kept' }));
    const byParity = topic('by-parity', { key: string(), value: json<number>() });
    const sums = left.pipe(
      regroup(
        (n) => (n % 2 === 0 ? 'even' : 'odd'),
        byParity,
        agg.sum((n) => n),
        { store: 'sums' },
      ),
    );
    const driver = new TestDriver([
      joined.pipe(
        toStream(),
        mapValues((row) => row ?? []),
        to(output),
      ),
      questions.pipe(
        joinTable(kept, (text, n) => [text, n], { type: 'left' }),
        to(output),
      ),
      questions.pipe(
        joinTable(joined, (text, pair) => [text, ...(pair ?? ['none'])], { type: 'left' }),
        to(output),
      ),
      sums.pipe(toStream()),
    ]);
    driver.pipe(source, at('a', 1, 0));
    driver.pipe(topic('right', { key: string(), value: json<number>() }), { key: 'a', value: 7, timestamp: 2 });
    driver.pipe(source, at('b', 2, 5));
    driver.read(output);
    driver.pipe(questions, { key: 'a', value: '?', timestamp: 12 });
    const [first, second, third, ...rest] = shown(driver.read(output)).sort();
    expect([first, second, third, ...rest]).toEqual(['a=["?",null,7]@12', 'a=["?",null]@12', 'a=[null,7]@10']);
    expect([...driver.store('sums').entries()].map(({ key, value }) => [key, value])).toEqual([
      ['even', 2],
      ['odd', 0],
    ]);
    expect([...driver.store('kept').entries()].map(({ key, value }) => [key, value])).toEqual([['b', 3]]);
  });
});

describe('aggregates with ttl', () => {
  const numbers = topic('numbers', { key: string(), value: json<number>() });

  it('start again after their end', () => {
    const driver = new TestDriver(
      numbers.pipe(
        aggregate(
          agg.sum((n) => n),
          { store: 'sums', ttl: '10ms' },
        ),
        spoken,
        to(output),
      ),
      { cacheEntries: 0 },
    );
    driver.pipeAll(numbers, [at('a', 1, 0), at('a', 2, 4), at('b', 1, 10)]);
    driver.restart();
    driver.pipeAll(numbers, [at('a', 5, 14), at('c', 1, 4), at('b', 3, 2)]);
    expect(shown(driver.read(output))).toEqual([
      'a=[null,1]@0',
      'a=[1,3]@4',
      'b=[null,1]@10',
      'a=[3,null]@14',
      'a=[null,5]@14',
      'b=[1,4]@10',
    ]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
  });

  it('are those of countByKey, reduceByKey and cogroup too, and are tables', () => {
    const tables = [
      asTable(numbers.pipe(countByKey({ store: 'counts', ttl: '10ms' }))),
      asTable(numbers.pipe(reduceByKey((left, right) => left + right, { store: 'texts', ttl: '10ms' }))),
      asTable(cogroup([numbers], { store: 'groups', ttl: '10ms', init: () => 0, add: [(sum, n) => sum + n] })),
      asTable(numbers, { store: 'newest', ttl: '10ms' }),
    ];
    const driver = new TestDriver(tables.map((each) => each.pipe(toStream(), spoken, to(output))));
    driver.pipeAll(numbers, [at('a', 3, 0), at('a', 4, 1)]);
    driver.read(output);
    driver.pipe(numbers, at('b', 1, 11));
    expect(shown(driver.read(output)).sort()).toEqual([
      'a=[2,null]@11',
      'a=[4,null]@11',
      'a=[7,null]@11',
      'a=[7,null]@11',
      'b=[null,1]@11',
      'b=[null,1]@11',
      'b=[null,1]@11',
      'b=[null,1]@11',
    ]);
  });

  it('follow the time of a shuffle', () => {
    const shuffle = topic('shuffle', { key: string(), value: json<number>() });
    const driver = new TestDriver(
      numbers.pipe(
        keyBy((n) => (n % 2 === 0 ? 'even' : 'odd')),
        through(shuffle),
        countByKey({ store: 'counts', ttl: '10ms' }),
        spoken,
        to(output),
      ),
      { partitions: 3 },
    );
    const all = Array.from({ length: 40 }, (_, n) => at(`${n % 7}`, n, n));
    driver.pipeAll(numbers, all);
    expect(
      [...driver.store('counts').entries()].map(({ key, value }) => `${String(key)} ${String(value)}`).sort(),
    ).toEqual(['even 20', 'odd 20']);
  });

  it('delete a row that cannot be made any more, and tell of it', () => {
    let broken = false;
    const fragile = agg.custom({
      init: () => 0,
      add: (sum, n: number) => sum + n,
      result(sum) {
        if (broken) throw new Error('no result');
        return sum;
      },
    });
    const driver = new TestDriver(
      numbers.pipe(
        aggregate(fragile, { store: 'sums', ttl: '10ms' }),
        to(topic('sums', { key: string(), value: nullable(json<number>()) })),
      ),
      { onRecordError: 'skip' },
    );
    driver.pipe(numbers, at('a', 1, 0));
    broken = true;
    driver.pipe(numbers, at('b', 1, 20));
    expect([...driver.store('sums').entries()]).toEqual([]);
  });
});

describe('what is no ttl', () => {
  it('is refused', () => {
    const numbers = topic('numbers', { key: string(), value: json<number>() });
    expect(thrown(() => rows('0ms' as '10ms'))).toMatchObject({ code: 'ERR_OPTION' });
    expect(thrown(() => rows('soon' as '10ms'))).toMatchObject({ code: 'ERR_DURATION' });
    expect(thrown(() => table('t', { key: string(), value: json<number>(), ttl: '1s', history: '1s' }))).toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('both history and ttl'),
    });
    expect(thrown(() => asTable(numbers, { store: 's', ttl: '1s', history: '1s' }))).toMatchObject({
      code: 'ERR_OPTION',
    });
    expect(
      thrown(() =>
        cogroup([numbers], {
          store: 's',
          init: () => 0,
          add: [(sum: number, n: number) => sum + n],
          windows: tumbling({ size: '1s', grace: '0s' }),
          ...({ ttl: '1s' } as object),
        }),
      ),
    ).toMatchObject({ code: 'ERR_OPTION' });
  });
});
