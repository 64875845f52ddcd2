import {
  cogroup,
  json,
  mapValues,
  session,
  string,
  to,
  topic,
  tumbling,
  unlimited,
  type WindowedRecord,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { other, output, showLate, thrown } from './operators.fixtures.ts';

const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
const payments = topic('payments', { key: string(), value: json<number>() });
const asText = <K>(source: Observable<WindowedRecord<K, unknown>>): Observable<WindowedRecord<K, string>> =>
  source.pipe(
    mapValues(
      (value, { timestamp, window }) => `[${window.start},${window.end}]=${JSON.stringify(value)}@${timestamp}`,
    ),
  );
const due = {
  store: 'due',
  init: () => 0,
  add: [(sum: number, order: { total: number }) => sum + order.total, (sum: number, payment: number) => sum - payment],
} as const;
const order = (timestamp: number, total: number, key = 'a') => ({ key, value: { total }, timestamp });
const payment = (timestamp: number, value: number, key = 'a') => ({ key, value, timestamp });

describe('cogroup', () => {
  it('folds several streams into one state per key, and emits its changes (AG-2)', () => {
    const driver = new TestDriver(
      cogroup([orders, payments], due).pipe(
        mapValues((value, { before }) => [before, value]),
        to(output),
      ),
    );
    driver.pipe(orders, order(5, 12));
    driver.restart();
    driver.pipe(payments, payment(3, 2));
    driver.pipe(payments, payment(9, 1, 'b'));
    expect(driver.read(output).map(({ key, timestamp, value }) => [key, value, timestamp])).toEqual([
      ['a', [null, 12], 5],
      ['a', [12, 10], 5],
      ['b', [null, -1], 9],
    ]);
    expect([...driver.store('due').entries()]).toMatchObject([
      { key: 'a', value: 10 },
      { key: 'b', value: -1 },
    ]);
  });

  it('in windows has one stream time, and one late stream', () => {
    const driver = new TestDriver(
      cogroup([orders, payments], {
        ...due,
        windows: tumbling({ size: '10ms', grace: '0s' }),
        late: (late) =>
          late.pipe(
            mapValues((value) => value),
            to(other),
          ),
      }).pipe(asText, to(output)),
    );
    driver.pipe(orders, order(1, 7));
    driver.pipe(payments, payment(4, 2));
    driver.pipe(payments, payment(20, 1, 'b'));
    driver.pipe(orders, order(3, 5));
    expect(driver.read(output).map(({ key, value }) => [key, value])).toEqual([['a', '[0,10]=5@4']]);
    expect(driver.late.map(showLate)).toEqual(['a@3 missed [0,10)']);
    expect(driver.read(other).map(({ value }) => value)).toEqual([{ total: 5 }]);
  });

  it('in sessions merges them', () => {
    const driver = new TestDriver(
      cogroup([orders, payments], {
        ...due,
        windows: session({ gap: '5ms', grace: '0s' }),
        merge: (left, right) => left + right,
      }).pipe(asText, to(output)),
    );
    driver.pipe(orders, order(1, 7));
    driver.pipe(orders, order(6, 1));
    driver.pipe(payments, payment(4, 2));
    driver.end('close');
    expect(driver.read(output).map(({ value }) => value)).toEqual(['[1,6]=6@6']);
  });

  it('refuses what cannot be', () => {
    const code = (make: () => unknown): string => thrown(make).code;
    expect(code(() => cogroup([], due as never))).toBe('ERR_PIPELINE');
    expect(code(() => cogroup([orders, payments], { ...due, add: [due.add[0]] } as never))).toBe('ERR_OPTION');
    expect(code(() => cogroup([orders, payments], { ...due, emit: 'close' } as never))).toBe('ERR_OPTION');
    expect(code(() => cogroup([orders, payments], { ...due, init: undefined } as never))).toBe('ERR_OPTION');
    expect(code(() => cogroup([orders, payments], { ...due, windows: unlimited() }))).toBe('ERR_OPTION');
    expect(code(() => cogroup([orders, payments], { ...due, windows: session({ gap: '1s', grace: '0s' }) }))).toBe(
      'ERR_AGGREGATION',
    );
    expect(code(() => cogroup([orders, payments], { ...due, store: '' }))).toBe('ERR_STORE_NAME');
  });
});
