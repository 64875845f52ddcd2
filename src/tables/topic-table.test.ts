import {
  deadLetter,
  filterRows,
  joinTable,
  json,
  mapValues,
  nullable,
  string,
  table,
  to,
  topic,
  toStream,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { take } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { headers, shown, thrown } from '../operators/operators.fixtures.ts';
import { memoryStores } from '../state/memory-backend.ts';

const prices = table('prices', { key: string(), value: json<number>() });
/** The topic of the table, to write to. */
const rows = topic('prices', { key: nullable(string()), value: nullable(json<number>()) });
const changes = topic('changes', { key: string(), value: json<readonly [number | null, number | null]>() });
const output = topic('output', { key: string(), value: json<string>() });
const input = topic('input', { key: string(), value: json<string>() });
const at = (key: string | null, value: number | null, timestamp: number) => ({ key, value, timestamp });

/** Old and new row of each change. */
const told = prices.pipe(
  toStream(),
  mapValues((value, { before }) => [before, value] as const),
  to(changes),
);

describe('the changes of a table', () => {
  it('tell the row before, in order of arrival; equal rows are changes too (TT-4)', () => {
    const driver = new TestDriver(told);
    driver.pipeAll(rows, [
      at('a', 1, 10),
      at('a', 2, 5),
      at('a', 2, 5),
      at(null, 3, 6),
      at('b', 0, 6),
      at('a', null, 7),
    ]);
    expect(shown(driver.read(changes))).toEqual([
      'a=[null,1]@10',
      'a=[1,2]@5',
      'a=[2,2]@5',
      'b=[null,0]@6',
      'a=[2,null]@7',
    ]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
    expect([...driver.store('prices').entries()]).toEqual([{ key: 'b', value: 0, timestamp: 6 }]);
  });

  it('have no tombstone for a row that is not there (TT-3)', () => {
    const driver = new TestDriver(told);
    driver.pipeAll(rows, [at('a', null, 1), at('a', 1, 2), at('a', null, 3), at('a', null, 4)]);
    expect(shown(driver.read(changes))).toEqual(['a=[null,1]@2', 'a=[1,null]@3']);
  });

  it('know the row from before a restart, whatever the cache holds', () => {
    for (const cacheEntries of [0, 1, 100]) {
      const driver = new TestDriver(told, { cacheEntries });
      driver.pipeAll(rows, [at('a', 1, 1), at('b', 2, 2), at('c', 3, 3)]);
      driver.restart();
      driver.pipe(rows, at('b', 5, 4));
      driver.restart();
      driver.pipe(rows, at('c', null, 5));
      expect(shown(driver.read(changes)).slice(3)).toEqual(['b=[2,5]@4', 'c=[3,null]@5']);
    }
  });

  it('keep headers and place of the record', () => {
    const driver = new TestDriver(
      prices.pipe(
        toStream(),
        mapValues((_, { offset, partition, topic: from }) => `${from}/${partition}@${offset}`),
        to(output),
      ),
    );
    driver.pipe(rows, at('a', 1, 1));
    driver.pipe(rows, { ...at('a', 2, 2), headers: headers(['h', 'x']) });
    expect(driver.read(output)).toMatchObject([
      { value: 'prices/0@0' },
      { value: 'prices/0@1', headers: headers(['h', 'x']) },
    ]);
  });

  it('go to several streams, and to joins beside them', () => {
    const joined = input.pipe(
      joinTable(prices, (text, price) => `${text} ${price}`),
      to(output),
    );
    const driver = new TestDriver([
      joined,
      told,
      prices.pipe(
        filterRows((n) => n > 1),
        toStream(),
        to(rows2),
      ),
    ]);
    driver.pipeAll(rows, [at('a', 1, 1), at('a', 2, 2)]);
    driver.pipe(input, { key: 'a', value: 'tea', timestamp: 3 });
    expect(shown(driver.read(output))).toEqual(['a="tea 2"@3']);
    expect(shown(driver.read(changes))).toHaveLength(2);
    expect(shown(driver.read(rows2))).toEqual(['a=2@2']);
    expect(driver.tasks()).toHaveLength(1);
  });

  it('are read to the end: an operator that ends the stream is reported', () => {
    const driver = new TestDriver(
      prices.pipe(toStream(), take(1), to(topic('one', { key: string(), value: json<number>() }))),
    );
    expect(thrown(() => driver.pipeAll(rows, [at('a', 1, 1), at('a', 2, 2)]))).toMatchObject({
      code: 'ERR_STREAM_ENDED',
    });
  });

  it('report a row that its schema does not take any more, and go on without it', () => {
    const stores = memoryStores();
    const start = (schema: z.ZodType<number>, onRecordError: 'fail' | ReturnType<typeof deadLetter>): TestDriver => {
      const versioned = table('prices', { key: string(), value: json(schema) });
      const pipeline = versioned.pipe(
        toStream(),
        mapValues((value, { before }) => [before, value] as const),
        to(changes),
      );
      return new TestDriver(pipeline, { stores, onRecordError });
    };
    start(z.number(), 'fail').pipe(rows, at('a', -1, 1));
    const strict = start(z.number().positive(), 'fail');
    expect(thrown(() => strict.pipe(rows, at('a', 1, 2)))).toMatchObject({ code: 'ERR_VALIDATION' });
    const lenient = start(z.number().positive(), deadLetter('dead'));
    lenient.pipeAll(rows, [at('a', 1, 2), at('a', 2, 3)]);
    expect(shown(lenient.read(changes))).toEqual(['a=[null,1]@2', 'a=[1,2]@3']);
    expect(lenient.tasks()[0]).toMatchObject({ deadLettered: 1 });
  });
});

const rows2 = topic('above-one', { key: string(), value: json<number>() });

describe('a table with history', () => {
  const kept = table('prices', { key: string(), value: json<number>(), history: '10ms' });
  const news = topic('news', { key: string(), value: json<readonly unknown[]>() });
  const versions = kept.pipe(
    toStream(),
    mapValues((value, { before, newest }) => [before, value, newest ?? true] as const),
    to(news),
  );

  it('tells every version, and which are not the newest (SS-3)', () => {
    const driver = new TestDriver(versions);
    driver.pipeAll(rows, [at('a', 1, 10), at('a', 2, 5), at('a', 3, 10), at('a', null, 4), at('a', null, 11)]);
    driver.restart();
    driver.pipeAll(rows, [at('a', null, 12), at('a', 4, 9), at('b', 5, 22), at('a', 6, 11), at('a', 7, 12)]);
    expect(shown(driver.read(news))).toEqual([
      'a=[null,1,true]@10',
      'a=[null,2,false]@5',
      'a=[1,3,true]@10',
      'a=[null,null,false]@4',
      'a=[3,null,true]@11',
      'a=[null,null,true]@12',
      'a=[2,4,false]@9',
      'b=[null,5,true]@22',
      'a=[null,7,true]@12',
    ]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
    expect([...driver.store('prices').entries()]).toEqual([
      { key: 'a', value: 7, timestamp: 12 },
      { key: 'b', value: 5, timestamp: 22 },
    ]);
  });

  it('joins with the row that has the highest timestamp', () => {
    const driver = new TestDriver(
      input.pipe(
        joinTable(kept, (text, price) => `${text}${price}`),
        to(output),
      ),
    );
    driver.pipeAll(rows, [at('a', 1, 10), at('a', 2, 5)]);
    driver.pipe(input, { key: 'a', value: 'x', timestamp: 20 });
    expect(shown(driver.read(output))).toEqual(['a="x1"@20']);
  });

  it('is not opened as one without, or the other way round', () => {
    const stores = memoryStores();
    new TestDriver(versions, { stores }).pipe(rows, at('a', 1, 1));
    expect(() => new TestDriver(told, { stores })).toThrow(expect.objectContaining({ code: 'ERR_STORE_INCOMPATIBLE' }));
  });

  it('may be given a longer or shorter history', () => {
    const stores = memoryStores();
    const of = (history: '5ms' | '50ms') =>
      table('prices', { key: string(), value: json<number>(), history }).pipe(
        toStream(),
        mapValues((value, { before, newest }) => [before, value, newest ?? true] as const),
        to(news),
      );
    new TestDriver(of('50ms'), { stores }).pipeAll(rows, [at('a', 1, 10), at('a', 2, 20), at('a', 3, 30)]);
    const shorter = new TestDriver(of('5ms'), { stores });
    shorter.pipeAll(rows, [at('a', 9, 22), at('a', 4, 26)]);
    expect(shown(shorter.read(news))).toEqual(['a=[2,4,false]@26']);
  });

  it('reports a row that its schema does not take any more, and goes on', () => {
    const stores = memoryStores();
    new TestDriver(versions, { stores }).pipe(rows, at('a', 1, 1));
    const texts = table('prices', { key: string(), value: json(z.string()), history: '10ms' });
    const driver = new TestDriver(
      texts.pipe(
        toStream(),
        mapValues((value, { before }) => [before, value] as const),
        to(news),
      ),
      { stores, onRecordError: deadLetter('letters') },
    );
    driver.pipe(topic('prices', { key: string(), value: json<string>() }), { key: 'a', value: 'x', timestamp: 2 });
    expect(shown(driver.read(news))).toEqual(['a=[null,"x"]@2']);
    expect(driver.tasks()[0]).toMatchObject({ deadLettered: 1 });
  });

  it('is refused with a history that is none', () => {
    const with_ = (history: string) => () =>
      table('prices', { key: string(), value: json<number>(), history: history as '1h' });
    expect(thrown(with_('0s'))).toMatchObject({ code: 'ERR_OPTION' });
    expect(thrown(with_('long'))).toMatchObject({ code: 'ERR_DURATION' });
  });
});
