import { flatMapValues, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { headers, input, output, shown } from './operators.fixtures.ts';

const original = { key: 'k', value: 4, timestamp: 77, headers: headers(['h', '1'], ['h', '2']) };

describe('flatMapValues', () => {
  it('gives a record for each value, in order, of whatever can be iterated', () => {
    for (const values of [
      ['x', 'y'],
      new Set(['x', 'y']),
      new Map([
        ['x', 1],
        ['y', 2],
      ]).keys(),
      'xy',
    ]) {
      const driver = new TestDriver(
        input.pipe(
          flatMapValues(() => values),
          to(output),
        ),
      );
      driver.pipe(input, original);
      const rows = driver.read(output);
      expect(shown(rows)).toEqual(['k="x"@77', 'k="y"@77']);
      expect(rows.map((row) => row.headers)).toEqual([original.headers, original.headers]);
    }
  });

  it('gives nothing at all when making them throws midway', () => {
    function* half(): Generator<number> {
      yield 1;
      throw new Error('midway');
    }
    const driver = new TestDriver(input.pipe(flatMapValues(half), to(output)), { onRecordError: 'skip' });
    driver.pipe(input, original);
    expect(driver.read(output)).toEqual([]);
    expect(driver.tasks()[0]?.skipped).toBe(1);
  });
});
