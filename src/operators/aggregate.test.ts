import { agg, aggregate, countByKey, json, mapValues, string, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { dead, headers, input, keyed, output, shown, thrown } from './operators.fixtures.ts';

const at = (key: string | null, value: number | null, timestamp: number) => ({ key, value, timestamp });
const join = agg.custom({
  init: () => '',
  add: (text: string, n: number | null) => (n === 0 ? null : `${text}${n}`),
});

describe('aggregate', () => {
  it('follows order of arrival; null drops, null from the adder deletes, the next record starts over (AG-1)', () => {
    const driver = new TestDriver(input.pipe(aggregate(join, { store: 's' }), to(output as never)));
    driver.pipeAll(input, [at('k', 1, 10), at('k', 2, 5), at('k', null, 20), at('k', 0, 7), at('k', 3, 6)]);
    expect(shown(driver.read(output))).toEqual(['k="1"@10', 'k="12"@10', 'k=null@10', 'k="3"@6']);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1 });
    expect([...driver.store('s').entries()]).toEqual([{ key: 'k', value: '3', timestamp: 6 }]);
  });

  it('emits a tombstone also for an entry that never was', () => {
    const driver = new TestDriver(input.pipe(aggregate(join, { store: 's' }), to(output as never)));
    driver.pipe(input, at('k', 0, 7));
    expect(shown(driver.read(output))).toEqual(['k=null@7']);
    driver.restart();
    expect([...driver.store('s').entries()]).toEqual([]);
  });

  it('keeps headers, and goes on after a restart, whatever the cache holds', () => {
    for (const cacheEntries of [0, 1, 100]) {
      const driver = new TestDriver(
        keyed.pipe(aggregate({ n: agg.count(), sum: agg.sum((n: number) => n) }, { store: 's' }), to(output)),
        { cacheEntries },
      );
      driver.pipeAll(keyed, [at('a', 1, 1), at('b', 5, 2)] as never[]);
      driver.restart();
      driver.pipe(keyed, { key: 'a', value: 2, timestamp: 3, headers: headers(['h', 'x']) });
      const rows = driver.read(output);
      expect(shown(rows)).toEqual(['a={"n":1,"sum":1}@1', 'b={"n":1,"sum":5}@2', 'a={"n":2,"sum":3}@3']);
      expect(rows[2]?.headers).toEqual(headers(['h', 'x']));
    }
  });

  it('leaves the state as it was when add or result throws', () => {
    const picky = agg.custom({
      init: () => 0,
      add: (sum: number, n: number) => {
        if (n === 13) throw new Error('add');
        return sum + n;
      },
      result: (sum) => {
        if (sum === 7) throw new Error('result');
        return sum;
      },
    });
    const driver = new TestDriver(keyed.pipe(aggregate(picky, { store: 's' }), to(output)), { onRecordError: 'skip' });
    driver.pipeAll(keyed, [at('a', 1, 1), at('a', 13, 2), at('a', 6, 3), at('a', 2, 4)] as never[]);
    expect(shown(driver.read(output)), 'a record that is left out leaves no trace').toEqual(['a=1@1', 'a=3@4']);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 2 });
  });

  it('refuses to store what would come back as something else, with the name of the store', () => {
    const distinct = agg.custom({
      init: () => new Set<number>(),
      add: (seen, n: number) => seen.add(n),
      result: (seen) => seen.size,
    });
    const driver = new TestDriver(keyed.pipe(aggregate(distinct, { store: 'seen' }), to(output)));
    const error = thrown(() => driver.pipe(keyed, { key: 'a', value: 1, timestamp: 1 }));
    expect(error).toMatchObject({ code: 'ERR_ENCODE' });
    expect(error.message).toMatch(/store seen.*Set/);
  });
});

describe('keys', () => {
  it('that are objects or bytes are known by their bytes', () => {
    const objects = topic('objects', { key: json<{ id: number }>(), value: json<number>() });
    const driver = new TestDriver(objects.pipe(countByKey({ store: 's' })));
    driver.pipeAll(
      objects,
      [1, 2, 1].map((id) => ({ key: { id }, value: 0, timestamp: 1 })),
    );
    driver.restart();
    driver.pipe(objects, { key: { id: 1 }, value: 0, timestamp: 1 });
    expect([...driver.store('s').entries()].map(({ key, value }) => [key, value])).toEqual([
      [{ id: 1 }, 3],
      [{ id: 2 }, 1],
    ]);
  });

  it('that their serde cannot write go to the policy', () => {
    const source = topic('source', { key: string(), value: json<number>() });
    const driver = new TestDriver(
      source.pipe(
        mapValues((n) => n),
        countByKey({ store: 's' }),
      ),
      { onRecordError: { deadLetter: 'dead' } },
    );
    driver.pipe(source, { key: 'fine', value: 1, timestamp: 1 });
    expect(driver.read(dead)).toEqual([]);
  });
});
