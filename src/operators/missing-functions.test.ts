import { describe, expect, it } from 'vitest';
import {
  agg,
  aggregate,
  branch,
  filterValues,
  flatMapRecord,
  flatMapValues,
  globalTable,
  joinTable,
  json,
  keyBy,
  mapAsync,
  mapRecord,
  mapTimestamp,
  mapValues,
  reduceByKey,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from '../index.ts';
import { thrown } from './operators.fixtures.ts';

const source = topic('source', { key: string(), value: json<number>() });
const rows = table('rows', { key: string(), value: json<number>() });
const products = globalTable('products', { key: string(), value: json<number>() });
const none = undefined as never;

describe('a function that is missing', () => {
  it.each<[string, () => unknown]>([
    ['mapValues', () => mapValues(none)],
    ['filterValues', () => filterValues(none)],
    ['flatMapValues', () => flatMapValues(none)],
    ['keyBy', () => keyBy(none)],
    ['mapRecord', () => mapRecord(none)],
    ['flatMapRecord', () => flatMapRecord(none)],
    ['mapTimestamp', () => mapTimestamp(none)],
    ['mapAsync', () => mapAsync(none)],
    ['joinTable(rows)', () => joinTable(rows, none)],
    ['joinTable(products): key', () => joinTable(products, (n) => n, { key: 5 as never })],
    ['branch(hot)', () => branch(source, { hot: none })],
    ['agg.sum', () => agg.sum(none)],
    ['agg.min', () => agg.min(none)],
    ['agg.max', () => agg.max(5 as never)],
    ['agg.mean', () => agg.mean('total' as never)],
    ['agg.reduce', () => agg.reduce(none)],
    ['agg.reduce', () => reduceByKey(none, { store: 's' })],
    ['agg.custom: init', () => agg.custom({ add: (n: number) => n } as never)],
    ['agg.custom: add', () => agg.custom({ init: () => 0 } as never)],
    ['agg.custom: result', () => agg.custom({ init: () => 0, add: (n: number) => n, result: 5 as never })],
    ['agg.custom: merge', () => agg.custom({ init: () => 0, add: (n: number) => n, merge: 'sum' as never })],
  ])('is noticed when the step is made: %s', (where, make) => {
    const error = thrown(make);
    expect(error).toMatchObject({ code: 'ERR_OPTION', errorClass: 'config' });
    expect(error.message).toMatch(
      new RegExp(`^${where.replace(/[()[\]]/g, '\\$&')} was given .* instead of a function`),
    );
    expect(error.hint).toContain('give it a function: ');
  });
});

describe('parts of an aggregator', () => {
  it('that are unknown, or no serde, are refused', () => {
    const parts = { init: () => 0, add: (n: number) => n };
    expect(thrown(() => agg.custom({ ...parts, results: () => 1 } as never)).message).toContain('did you mean result?');
    expect(thrown(() => agg.custom({ ...parts, state: json as never })).message).toContain('state');
    expect(thrown(() => agg.custom(none)).message).toContain('the options are undefined');
  });
});

describe('what is not a topic, a table or a stream', () => {
  it.each<[RegExp, () => unknown]>([
    [/to\(…\) was given "b", which is not a topic – .*topic\('b', /, () => to('b' as never)],
    [/to\(…\) was given undefined/, () => to(none)],
    [/to\(…\) was given "b"/, () => to(() => source, { topics: ['b' as never] })],
    [/through\(…\) was given "b"/, () => through('b' as never)],
    [/joinTable\(…\) was given a topic instead of a table/, () => joinTable(source as never, (n) => n)],
    [/joinTable\(…\) was given "rows" instead of a table/, () => joinTable('rows' as never, (n) => n)],
    [/branch\(…\) was given an object with hot instead of a stream/, () => branch({ hot: () => true } as never, none)],
    [/branch\(…\) was given undefined instead of predicates/, () => branch(source, none)],
  ])('is said to be that: %s', (message, make) => {
    expect(thrown(make)).toMatchObject({ code: 'ERR_OPTION', message: expect.stringMatching(message) as string });
  });
});

describe('a store name that is misspelt', () => {
  it('is told as such', () => {
    const window = tumbling({ size: '1m', grace: '0s' });
    for (const make of [
      () => windowBy(window, agg.count(), { stor: 'x' } as never),
      () => aggregate(agg.count(), { stor: 'x' } as never),
    ]) {
      expect(thrown(make)).toMatchObject({
        code: 'ERR_OPTION',
        message: expect.stringContaining('no option stor – did you mean store?') as string,
      });
    }
    expect(thrown(() => windowBy(window, agg.count(), none))).toMatchObject({ code: 'ERR_STORE_NAME' });
  });
});
