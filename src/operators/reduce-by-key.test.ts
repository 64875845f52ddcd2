import { reduceByKey, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { keyed, output, shown } from './operators.fixtures.ts';

describe('reduceByKey', () => {
  it('takes the first value of a key as it is, and goes on after a restart', () => {
    const driver = new TestDriver(
      keyed.pipe(
        reduceByKey((left, right) => left * 10 + right, { store: 's' }),
        to(output),
      ),
    );
    const add = (key: string, value: number): void => driver.pipe(keyed, { key, value, timestamp: value });
    add('a', 1);
    add('b', 5);
    driver.restart();
    add('a', 2);
    expect(shown(driver.read(output))).toEqual(['a=1@1', 'b=5@5', 'a=12@2']);
  });
});
