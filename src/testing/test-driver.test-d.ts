import { json, keyValue, type StoreView, string, to, topic } from 'millrace';
import { type HistoryEvent, TestDriver, type TestTopic } from 'millrace/testing';
import { expectTypeOf, test } from 'vitest';

const numbers = topic('numbers', { key: string(), value: json<number>() });
const driver = new TestDriver(numbers.pipe(to(topic('copy', { key: string(), value: json<number>() }))));

test('records and rows have the types of their topic', () => {
  expectTypeOf(driver.topic(numbers)).toEqualTypeOf<TestTopic<string, number>>();
  driver.pipe(numbers, { key: null, value: null });
  // @ts-expect-error the value is a number
  driver.pipe(numbers, { key: 'a', value: 'text' });
  // @ts-expect-error so it is here
  driver.topic(numbers).pipe({ key: 'a', value: 'text' });
  expectTypeOf(driver.read(numbers)[0]?.value).toEqualTypeOf<number | null | undefined>();
});

test('stores have the types of their declaration, or those that the test names', () => {
  const last = keyValue('last', { key: string(), value: json<number>() });
  expectTypeOf(driver.store(last)).toEqualTypeOf<StoreView<string, number>>();
  expectTypeOf(driver.store('last')).toEqualTypeOf<StoreView<unknown, unknown>>();
  expectTypeOf(driver.store<string, number>('last').get('a')?.value).toEqualTypeOf<number | undefined>();
});

test('faults, restarts and events of histories are named', () => {
  // @ts-expect-error there is no such fault
  driver.failNext('disk');
  // @ts-expect-error nor such a restart
  driver.restart('gently');
  // @ts-expect-error a read has a place
  const event: HistoryEvent = { type: 'read', topic: 't', id: 1 };
  void event;
});
