import { countByKey, mapValues, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { input, keyed, output, shown } from './operators.fixtures.ts';

describe('mapValues', () => {
  it('replaces the value, and leaves records where they are: what follows still knows their keys', () => {
    const driver = new TestDriver(
      keyed.pipe(
        mapValues((n, { key }) => `${key}${n}`),
        countByKey({ store: 's' }),
        to(output),
      ),
      { partitions: 3 },
    );
    for (const key of ['a', 'b', 'a']) driver.pipe(keyed, { key, value: 1, timestamp: 5 });
    expect(shown(driver.read(output)).toSorted()).toEqual(['a=1@5', 'a=2@5', 'b=1@5']);
  });

  it('makes tombstones of null, and values of tombstones', () => {
    const driver = new TestDriver(
      input.pipe(
        mapValues((n) => (n === null ? 0 : null)),
        to(output),
      ),
    );
    driver.pipe(input, { key: 'a', value: 1, timestamp: 1 });
    driver.pipe(input, { key: 'a', value: null, timestamp: 2 });
    expect(shown(driver.read(output))).toEqual(['a=null@1', 'a=0@2']);
  });
});
