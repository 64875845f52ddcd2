import { describe, expect, it } from 'vitest';
import { agg, debounceByKey, json, mapValues, string, to, topic, tumbling, windowBy } from '../index.ts';
import { TestDriver } from '../testing/index.ts';
import { dead, input, keyed, output, showLate, shown, thrown } from './operators.fixtures.ts';

const settled = (grace: '0ms' | '5ms' = '0ms'): TestDriver =>
  new TestDriver(input.pipe(debounceByKey('10ms', { grace, store: 'calm' }), to(output)));

const at = (driver: TestDriver, key: string, ...times: number[]): string[] => {
  for (const timestamp of times) driver.pipe(input, { key, value: timestamp, timestamp });
  return shown(driver.read(output));
};

describe('debounceByKey', () => {
  it('gives the last of a burst when its key has been silent', () => {
    const driver = settled();
    expect(at(driver, 'a', 0, 9, 18)).toEqual([]);
    expect(at(driver, 'b', 27)).toEqual([]);
    expect(at(driver, 'b', 28)).toEqual(['a=18@18']);
    expect(at(driver, 'a', 38)).toEqual(['b=28@28']);
  });

  it('makes one burst of two that a record lies between, and tells what belongs to none that is open', () => {
    const driver = settled('5ms');
    expect(at(driver, 'a', 0, 12)).toEqual([]);
    expect(at(driver, 'a', 5)).toEqual([]);
    expect(at(driver, 'b', 26)).toEqual([]);
    expect(at(driver, 'b', 27)).toEqual(['a=12@12']);
    expect(at(driver, 'a', 12, 13)).toEqual([]);
    expect(driver.late.map(showLate)).toEqual(['a@12 missed [12,22)']);
  });

  it('keeps the window of a row', () => {
    const rows = topic('rows', { key: string(), value: json<number>() });
    const counts = keyed.pipe(windowBy(tumbling({ size: '10ms', grace: '0ms' }), agg.count(), { store: 'counts' }));
    const driver = new TestDriver(
      counts.pipe(debounceByKey('5ms', { grace: '0ms', store: 'calm' }), to(rows, { window: 'headers' })),
    );
    for (const timestamp of [1, 11, 31, 61]) driver.pipe(keyed, { key: 'a', value: 1, timestamp });
    driver.restart();
    driver.end('close');
    expect(driver.read(rows).map((each) => each.headers.length)).toEqual([2, 2, 2, 2]);
  });

  it('puts aside as a row what fails below, and goes on with the rest', () => {
    const fussy = (value: number | null): number => {
      if (value === 2) throw new Error('refused');
      return value ?? 0;
    };
    const driver = new TestDriver(
      input.pipe(debounceByKey('10ms', { grace: '0ms', store: 'calm' }), mapValues(fussy), to(output)),
      { onRecordError: { deadLetter: 'dead' } },
    );
    for (const [at, key] of ['a', 'b', 'c', 'd'].entries()) {
      driver.pipe(input, { key, value: at + 1, timestamp: at === 3 ? 90 : 0 });
    }
    expect(shown(driver.read(output))).toEqual(['a=1@0', 'c=3@0']);
    const [letter, ...others] = driver.read(dead);
    expect([shown([letter as never]), others]).toEqual([['b=2@0'], []]);
    driver.restart();
    driver.pipe(input, { key: 'e', value: 5, timestamp: 99 });
    expect(driver.read(output)).toEqual([]);
  });

  it('checks its options', () => {
    expect(thrown(() => debounceByKey('0s', { grace: '0s', store: 's' })).code).toBe('ERR_OPTION');
    expect(thrown(() => debounceByKey('1s', { store: 's' } as never)).code).toBe('ERR_DURATION');
  });
});
