import { describe, expect, it } from 'vitest';
import { throttleByKey, to } from '../index.ts';
import { TestDriver } from '../testing/index.ts';
import { headers, input, output, showLate, shown, texts, thrown } from './operators.fixtures.ts';

const throttled = (take: 'first' | 'last' | 'both', grace: '0ms' | '5ms' = '0ms'): TestDriver =>
  new TestDriver(input.pipe(throttleByKey('10ms', { grace, store: 'calm', take }), to(output)));

const at = (driver: TestDriver, ...times: number[]): string[] => {
  for (const timestamp of times) driver.pipe(input, { key: 'a', value: timestamp, timestamp });
  return shown(driver.read(output));
};

describe('throttleByKey', () => {
  it('takes the first, the last, or both of a span', () => {
    expect(at(throttled('first'), 0, 4, 9, 10, 15, 30)).toEqual(['a=0@0', 'a=10@10', 'a=30@30']);
    expect(at(throttled('last'), 0, 4, 9, 10, 15, 30)).toEqual(['a=9@9', 'a=15@15']);
    expect(at(throttled('both'), 0, 4, 9, 10, 30)).toEqual(['a=0@0', 'a=9@9', 'a=10@10', 'a=30@30']);
  });

  it('waits for grace, finds the newest in any order, and leaves out what is just before a span', () => {
    const driver = throttled('last', '5ms');
    expect(at(driver, 20, 28, 26, 17)).toEqual([]);
    expect(at(driver, 34)).toEqual([]);
    expect(at(driver, 35)).toEqual(['a=28@28']);
    expect(at(driver, 29)).toEqual([]);
    expect(driver.late.map(showLate)).toEqual(['a@17 missed [17,27)', 'a@29 missed [29,39)']);
    driver.end('close');
    expect(shown(driver.read(output))).toEqual(['a=35@35']);
  });

  it('hands on headers, null values and places of what waited, after a restart too', () => {
    const driver = throttled('last');
    driver.pipe(input, { key: 'a', value: null, timestamp: 3, headers: headers(['h', '1']) });
    driver.restart();
    driver.pipe(input, { key: null, value: 1, timestamp: 50 });
    expect(driver.read(output)).toEqual([]);
    driver.pipe(input, { key: 'b', value: 1, timestamp: 13 });
    const [row] = driver.read(output);
    expect([row?.value, row?.timestamp, texts(row?.headers ?? [])]).toEqual([null, 3, { h: '1' }]);
  });

  it('checks its options', () => {
    const options = { grace: '0s', store: 's' } as const;
    expect(thrown(() => throttleByKey('0s', options)).code).toBe('ERR_OPTION');
    expect(thrown(() => throttleByKey('1s', { ...options, take: 'none' as 'last' })).code).toBe('ERR_OPTION');
    expect(thrown(() => throttleByKey('1s', { ...options, value: { name: 'x' } as never })).code).toBe('ERR_OPTION');
    expect(thrown(() => throttleByKey('1s', {} as never)).code).toBe('ERR_STORE_NAME');
  });
});
