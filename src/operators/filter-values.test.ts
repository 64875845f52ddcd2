import { filterValues, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { input, output, shown, thrown } from './operators.fixtures.ts';

const feed = [1, 2, null, 4].map((value, at) => ({ key: 'k', value, timestamp: at }));

describe('filterValues', () => {
  it('lets records through whose value passes, tombstones too', () => {
    const driver = new TestDriver(
      input.pipe(
        filterValues((n) => n === null || n > 1),
        to(output),
      ),
    );
    driver.pipeAll(input, feed);
    expect(shown(driver.read(output))).toEqual(['k=2@1', 'k=null@2', 'k=4@3']);
    expect(driver.tasks()[0], 'what is left out is not lost').toMatchObject({ dropped: 0, skipped: 0 });
  });

  it('goes by truth, as JavaScript does, but not by a promise', () => {
    const loose = (result: unknown): TestDriver =>
      new TestDriver(input.pipe(filterValues((() => result) as never), to(output)));
    const passes = (result: unknown): number => {
      const driver = loose(result);
      driver.pipe(input, { key: 'k', value: 1, timestamp: 1 });
      return driver.read(output).length;
    };
    expect([1, 'yes', {}].map(passes)).toEqual([1, 1, 1]);
    expect([0, '', null, undefined].map(passes)).toEqual([0, 0, 0, 0]);
    expect(thrown(() => passes(Promise.resolve(true))).code).toBe('ERR_ASYNC_FUNCTION');
  });
});
