import { deadLetter, joinTable, json, keyBy, mapValues, nullable, string, table, through, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { dead, headers, input, output, shown, texts, thrown } from './operators.fixtures.ts';

const names = table('names', { key: string(), value: json<string>() });
/** The topic of the table, to write to. */
const rows = topic('names', { key: nullable(string()), value: nullable(json<string>()) });
const raw = topic('names', { key: string(), value: string() });
const say = (n: number, name: string | null): string => `${name}:${n}`;
const at = (key: string | null, value: number | null, timestamp: number) => ({ key, value, timestamp });

describe('joinTable', () => {
  it('looks up the row of the moment; table changes trigger nothing (JT-1, JT-2)', () => {
    const driver = new TestDriver(input.pipe(joinTable(names, say), to(output)));
    driver.pipe(input, at('a', 1, 1));
    driver.pipe(rows, { key: 'a', value: 'Ada', timestamp: 2 });
    driver.pipe(input, { ...at('a', 2, 3), headers: headers(['h', 'x']) });
    driver.pipe(rows, { key: 'a', value: 'Ann', timestamp: 0 });
    driver.pipe(input, at('a', 3, 4));
    driver.pipe(rows, { key: 'a', value: null, timestamp: 5 });
    driver.pipe(input, at('a', 4, 6));
    const joined = driver.read(output);
    expect(shown(joined)).toEqual(['a="Ada:2"@3', 'a="Ann:3"@4']);
    expect(joined[0]?.headers).toEqual(headers(['h', 'x']));
    expect([...driver.store('names').entries()]).toEqual([]);
  });

  it('combines with null in a left join, also without a key; null values are dropped (TM-9, TM-10)', () => {
    const driver = new TestDriver(input.pipe(joinTable(names, say, { type: 'left' }), to(output)));
    driver.pipe(rows, { key: 'a', value: 'Ada', timestamp: 0 });
    driver.pipeAll(input, [at('a', 1, 1), at('b', 2, 2), at(null, 3, 3), at('a', null, 4)]);
    expect(shown(driver.read(output))).toEqual(['a="Ada:1"@1', 'b="null:2"@2', 'null="null:3"@3']);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
  });

  it('drops and counts null keys and null values in an inner join, but not missing rows', () => {
    const driver = new TestDriver(input.pipe(joinTable(names, say), to(output)));
    driver.pipeAll(input, [at('a', 1, 1), at(null, 3, 3), at('a', null, 4)]);
    expect(driver.read(output)).toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 2, recordsIn: 3 });
  });

  it('takes the record with the lowest timestamp first among stream and table (TM-4)', () => {
    const source = topic('b', { key: string(), value: json<number>() });
    const users = table('a', { key: string(), value: json<string>() });
    const userRows = topic('a', { key: string(), value: json<string>() });
    const pipeline = source.pipe(joinTable(users, say), to(output));
    const driver = new TestDriver([pipeline, topic('gate', { value: json() })]);
    const both = new TestDriver(pipeline);
    // One commit at the end: both topics are there before the first turn.
    both.pipeAll(source, []);
    driver.pipeAll(source, []);
    for (const each of [both]) {
      each.pipe(userRows, { key: 'k', value: 'v1', timestamp: 10 });
      each.pipe(source, { key: 'k', value: 1, timestamp: 5 });
      expect(shown(each.read(output)), 'what is read already is not undone').toEqual(['k="v1:1"@5']);
    }
  });

  it('keeps its rows over a restart, whatever the cache holds', () => {
    for (const cacheEntries of [0, 1]) {
      const driver = new TestDriver(input.pipe(joinTable(names, say), to(output)), { cacheEntries });
      driver.pipeAll(
        rows,
        ['a', 'b', 'c'].map((key) => ({ key, value: key.toUpperCase(), timestamp: 1 })),
      );
      driver.restart();
      driver.pipe(rows, { key: 'b', value: null, timestamp: 2 });
      driver.restart();
      driver.pipeAll(
        input,
        ['a', 'b', 'c'].map((key) => at(key, 1, 3)),
      );
      expect(shown(driver.read(output))).toEqual(['a="A:1"@3', 'c="C:1"@3']);
      expect([...driver.store('names').entries()].map(({ key }) => key)).toEqual(['a', 'c']);
    }
  });

  it('serves several joins with one table', () => {
    const driver = new TestDriver([
      input.pipe(
        joinTable(names, say),
        joinTable(names, (text, name) => `${text}/${name}`),
        to(output),
      ),
      input.pipe(joinTable(names, say, { type: 'left' }), to(dead)),
    ]);
    driver.pipe(rows, { key: 'a', value: 'Ada', timestamp: 0 });
    driver.pipe(input, at('a', 1, 1));
    expect(shown(driver.read(output))).toEqual(['a="Ada:1/Ada"@1']);
    expect(shown(driver.read(dead))).toEqual(['a="Ada:1"@1']);
    expect(driver.tasks()).toHaveLength(1);
  });

  it('drops and counts records of the table without a key', () => {
    const driver = new TestDriver(input.pipe(joinTable(names, say)));
    driver.pipe(rows, { key: null, value: 'nobody', timestamp: 0 });
    expect([...driver.store('names').entries()]).toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
  });

  it('sends a poison row to the policy, and keeps the row that was there', () => {
    const driver = new TestDriver(input.pipe(joinTable(names, say), to(output)), {
      onRecordError: deadLetter('dead-rows'),
    });
    driver.pipe(raw, { key: 'a', value: '"Ada"', timestamp: 0 });
    driver.pipe(raw, { key: 'a', value: '{broken', timestamp: 1 });
    driver.pipe(input, at('a', 1, 2));
    expect(shown(driver.read(output))).toEqual(['a="Ada:1"@2']);
    const letters = driver.read(topic('dead-rows', { key: string(), value: string() }));
    expect(letters.map(({ value }) => value)).toEqual(['{broken']);
    expect(texts(letters[0]?.headers ?? [])).toMatchObject({
      'millrace.step': 'table(names)',
      'millrace.origin.topic': 'names',
    });
    const strict = new TestDriver(input.pipe(joinTable(names, say)));
    expect(thrown(() => strict.pipe(raw, { key: 'a', value: '{broken', timestamp: 1 }))).toMatchObject({
      code: 'ERR_DECODE',
      topic: 'names',
      offset: 0,
    });
  });

  it('reports a poison record once, although a table and a stream read it', () => {
    const source = topic('names', { key: string(), value: json<string>() });
    const driver = new TestDriver(
      source.pipe(
        joinTable(names, (left, right) => left + right),
        to(output),
      ),
      {
        onRecordError: deadLetter('dead-rows'),
      },
    );
    driver.pipe(raw, { key: 'a', value: '{broken', timestamp: 1 });
    driver.pipe(raw, { key: 'a', value: '"x"', timestamp: 2 });
    expect(driver.tasks()[0]).toMatchObject({ deadLettered: 1 });
    expect(shown(driver.read(output))).toEqual(['a="xx"@2']);
  });

  it('goes to the policy when the combination throws', () => {
    const bad = input.pipe(
      joinTable(names, () => {
        throw new Error('no');
      }),
    );
    const driver = new TestDriver(bad, { onRecordError: 'skip' });
    driver.pipe(rows, { key: 'a', value: 'Ada', timestamp: 0 });
    driver.pipe(input, at('a', 1, 1));
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
  });
});

describe('through', () => {
  const shuffled = topic('shuffled', { key: string(), value: json<number>() });
  const optional = topic('optional', { key: nullable(string()), value: json<number>() });

  it('sends records to the partition of their new key', () => {
    const source = topic('source', { value: json<number>() });
    const driver = new TestDriver(
      source.pipe(
        keyBy((n) => `k${n % 5}`),
        through(shuffled),
        to(output),
      ),
      { partitions: 4 },
    );
    driver.pipeAll(
      source,
      Array.from({ length: 40 }, (_, value) => ({ value, timestamp: value, partition: value % 4 })),
    );
    const placed = new Map<unknown, Set<number>>();
    for (const { key, partition } of driver.read(shuffled))
      placed.set(key, (placed.get(key) ?? new Set()).add(partition));
    expect([...placed.values()].map(({ size }) => size)).toEqual([1, 1, 1, 1, 1]);
    expect(driver.read(output)).toHaveLength(40);
  });

  it('drops and counts null keys, unless the topic takes them', () => {
    const source = topic('source', { value: json<number>() });
    const select = keyBy((n: number) => (n === 1 ? null : 'k'));
    const strict = new TestDriver(source.pipe(select, through(shuffled), to(output)));
    strict.pipeAll(source, [
      { value: 1, timestamp: 0 },
      { value: 2, timestamp: 0 },
    ]);
    expect(shown(strict.read(output))).toEqual(['k=2@0']);
    expect(strict.tasks().map(({ dropped }) => dropped)).toContain(1);
    const lenient = new TestDriver(
      source.pipe(
        select,
        through(optional),
        mapValues((n) => n),
        to(output),
      ),
    );
    lenient.pipeAll(source, [{ value: 1, timestamp: 0 }]);
    expect(shown(lenient.read(output))).toEqual(['null=1@0']);
  });

  it('keeps timestamps and headers', () => {
    const source = topic('source', { value: json<number>() });
    const driver = new TestDriver(
      source.pipe(
        keyBy(() => 'k'),
        through(shuffled),
        to(output),
      ),
    );
    driver.pipe(source, { value: 1, timestamp: 99, headers: headers(['h', 'x']) });
    expect(driver.read(output)).toMatchObject([{ timestamp: 99, headers: headers(['h', 'x']), topic: 'output' }]);
  });
});
