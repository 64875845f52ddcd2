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
  mapRecord,
  mapTimestamp,
  mapValues,
  reduceByKey,
  type StreamRecord,
  string,
  table,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import type { Observable, OperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { MillraceError } from '../errors.ts';

type Row = StreamRecord<string, number>;
type Step = (source: Observable<Row>) => Observable<unknown>;
/** A function as a program in JavaScript may give it. */
// oxlint-disable-next-line typescript/no-explicit-any -- it may take and return anything
type Loose = (...values: any[]) => any;

const source = topic('source', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<unknown>() });
const rates = table('rates', { key: string(), value: json<number>() });
const places = globalTable('places', { key: string(), value: json<number>() });
const minute = tumbling({ size: '1m', grace: '0s' });
const store = 's';

function thrown(work: () => unknown): MillraceError {
  try {
    work();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('nothing was thrown');
}

const step = (operator: unknown): Step => operator as OperatorFunction<Row, unknown>;

/** Every function that a step takes. */
const steps: Record<string, (work: Loose) => Step> = {
  mapValues: (work) => step(mapValues(work)),
  filterValues: (work) => step(filterValues(work)),
  flatMapValues: (work) => step(flatMapValues(work)),
  keyBy: (work) => step(keyBy(work)),
  mapRecord: (work) => step(mapRecord(work)),
  flatMapRecord: (work) => step(flatMapRecord(work)),
  mapTimestamp: (work) => step(mapTimestamp(work)),
  'branch(odd)': (work) => (rows) => branch(rows, { odd: work }, 'rest').rest,
  'joinTable(rates)': (work) => step(joinTable(rates, work, { type: 'left' })),
  'joinTable(places)': (work) => step(joinTable(places, work, { type: 'left', key: () => 'k' })),
  'joinTable(places) by key': (work) => step(joinTable(places, (n) => n, { type: 'left', key: work })),
  'agg.sum': (work) => step(aggregate(agg.sum(work), { store })),
  'agg.mean': (work) => step(aggregate(agg.mean(work), { store })),
  'agg.min': (work) => step(windowBy(minute, agg.min(work), { store })),
  'agg.max, of several': (work) => step(windowBy(minute, { n: agg.count(), most: agg.max(work) }, { store })),
  'agg.reduce': (work) => step(reduceByKey(work, { store })),
  'agg.custom add': (work) => step(windowBy(minute, agg.custom({ init: () => 0, add: work }), { store })),
  'agg.custom result': (work) =>
    step(aggregate(agg.custom({ init: () => 0, add: (n: number) => n + 1, result: work }), { store })),
  'agg.custom result, of several': (work) =>
    step(aggregate({ own: agg.custom({ init: () => 0, add: (n: number) => n + 1, result: work }) }, { store })),
  'to(headers)': (work) => step(to(out as never, { headers: work })),
  'to(timestamp)': (work) => step(to(out as never, { timestamp: work })),
  'to(pick)': (work) => step(to(work as never, { topics: [out] as never })),
};

const rows = [1, 2].map((value) => ({ key: 'k', value, timestamp: value }));

describe('a function that returns a promise', () => {
  it.each(Object.entries(steps))('%s: is refused, whatever the record policy', (_name, make) => {
    const work = (() => Promise.reject(new Error('nobody listens'))) as Loose;
    for (const onRecordError of ['fail', 'skip'] as const) {
      const driver = new TestDriver(make(work)(source), { onRecordError });
      const error = thrown(() => driver.pipeAll(source, rows));
      expect(error).toMatchObject({
        code: 'ERR_ASYNC_FUNCTION',
        errorClass: 'config',
        topic: 'source',
        stage: /source/,
      });
      expect(error.message).toMatch(/promise.* – .*mapAsync/);
    }
  });

  it.each(Object.entries(steps))('%s: so is one that returns something with a then', (_name, make) => {
    // oxlint-disable-next-line unicorn/no-thenable -- a query of a database, which runs when it is awaited
    const query = { then: () => undefined };
    const driver = new TestDriver(make(() => query)(source));
    expect(thrown(() => driver.pipeAll(source, rows))).toMatchObject({ code: 'ERR_ASYNC_FUNCTION' });
  });

  it('is refused inside of what a step makes', () => {
    const later = Promise.resolve(1);
    for (const operator of [
      step(flatMapValues(() => [1, later])),
      step(mapRecord(() => ({ key: 'k', value: later }))),
      step(flatMapRecord(() => [{ key: later, value: 1 }])),
    ]) {
      const driver = new TestDriver(operator(source));
      expect(thrown(() => driver.pipeAll(source, rows))).toMatchObject({ code: 'ERR_ASYNC_FUNCTION' });
    }
  });

  it('leaves values alone that only have a field of that name', () => {
    const target = topic('out', { key: string(), value: json<object>() });
    // oxlint-disable-next-line unicorn/no-thenable -- a rule, as people store them
    const rule = (n: number) => ({ if: n, then: 'stop' });
    const driver = new TestDriver(source.pipe(mapValues(rule), to(target)));
    driver.pipeAll(source, rows);
    expect(driver.read(target)).toHaveLength(2);
  });
});

describe('a function that is marked async', () => {
  const marked = Object.entries(steps).filter(([name]) => !/agg\.(sum|mean|min|max|reduce)/.test(name));
  it.each(marked)('%s: is refused before any record', (_name, make) => {
    const error = thrown(() => make(async () => 1)(source));
    expect(error).toMatchObject({ code: 'ERR_ASYNC_FUNCTION', errorClass: 'config' });
    expect(error.message).toMatch(/mapAsync/);
  });

  it('also where it generates', () => {
    const generate = async function* () {
      yield 1;
    };
    expect(thrown(() => flatMapValues(generate as unknown as Loose))).toMatchObject({ code: 'ERR_ASYNC_FUNCTION' });
  });
});
