import {
  asTable,
  countByKey,
  joinRows,
  joinTable,
  json,
  mapRows,
  mapValues,
  nullable,
  string,
  type Table,
  table,
  to,
  topic,
  toStream,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { shown, thrown } from '../operators/operators.fixtures.ts';
import { plan } from '../plan/topology.ts';

interface Order {
  readonly customer: string | null;
  readonly item: string;
}
const order = json<Order>();
const orders = table('orders', { key: string(), value: order });
const customers = table('customers', { key: string(), value: json<{ name: string }>() });
const toOrders = topic('orders', { key: string(), value: nullable(order) });
const toCustomers = topic('customers', { key: string(), value: nullable(json<{ name: string }>()) });
const out = topic('out', { key: string(), value: json<readonly unknown[]>() });
const key = (row: Order) => row.customer;

const told = <V>(rows: Table<string, V>) =>
  rows.pipe(
    toStream(),
    mapValues((value, { before }) => [before, value] as const),
    to(out),
  );
const named = () =>
  orders.pipe(joinRows(customers, (row, { name }) => `${name}: ${row.item}`, { store: 'named', key }));

describe('joinRows by a foreign key', () => {
  it('follows both tables, whatever partitions their rows lie in', () => {
    for (const partitions of [1, 4]) {
      const driver = new TestDriver(told(named()), { partitions, cacheEntries: 0 });
      driver.pipe(toOrders, { key: '1', value: { customer: 'ada', item: 'tea' }, timestamp: 1 });
      driver.pipe(toCustomers, { key: 'ada', value: { name: 'Ada' }, timestamp: 2 });
      driver.restart();
      driver.pipe(toOrders, { key: '1', value: { customer: 'bob', item: 'tea' }, timestamp: 3 });
      driver.pipe(toCustomers, { key: 'ada', value: { name: 'Countess' }, timestamp: 4 });
      driver.pipe(toCustomers, { key: 'bob', value: { name: 'Bob' }, timestamp: 5 });
      driver.pipe(toOrders, { key: '1', value: null, timestamp: 6 });
      driver.pipe(toOrders, { key: '1', value: null, timestamp: 7 });
      expect(shown(driver.read(out))).toEqual([
        '1=[null,"Ada: tea"]@2',
        '1=["Ada: tea",null]@3',
        '1=[null,"Bob: tea"]@5',
        '1=["Bob: tea",null]@6',
      ]);
    }
  });

  it('keeps nothing of rows that are gone', () => {
    const driver = new TestDriver(told(named()), { partitions: 3 });
    for (const customer of ['ada', 'bob', 'eve', null, 'ada']) {
      driver.pipe(toCustomers, { key: customer ?? 'x', value: { name: 'N' } });
      driver.pipeAll(
        toOrders,
        ['1', '2', '3'].map((id) => ({ key: id, value: { customer, item: 'tea' } })),
      );
    }
    expect([...driver.store('named').entries()]).toHaveLength(3);
    driver.pipeAll(
      toOrders,
      ['1', '2', '3'].map((id) => ({ key: id, value: null })),
    );
    for (const store of ['named', 'named-leases', 'named-subscribers', 'named-marks']) {
      expect([...driver.store(store).entries()], store).toEqual([]);
    }
  });

  it('of a table with itself', () => {
    const staff = table('staff', { key: string(), value: json<{ boss: string | null }>() });
    const toStaff = topic('staff', { key: string(), value: json<{ boss: string | null }>() });
    const bosses = staff.pipe(
      joinRows(staff, ({ boss }, above) => [boss, above?.boss ?? null] as const, {
        store: 'bosses',
        key: ({ boss }) => boss,
        type: 'left',
      }),
    );
    const driver = new TestDriver(told(bosses), { partitions: 2 });
    for (const [name, boss] of [
      ['ada', 'bob'],
      ['bob', 'eve'],
      ['eve', null],
    ] as const) {
      driver.pipe(toStaff, { key: name, value: { boss } });
    }
    expect([...driver.store('bosses').entries()].map(({ key: name, value }) => [name, value])).toEqual(
      expect.arrayContaining([
        ['ada', ['bob', 'eve']],
        ['bob', ['eve', null]],
        ['eve', [null, null]],
      ]),
    );
    driver.pipe(toStaff, { key: 'bob', value: { boss: 'zoe' } });
    expect([...driver.store('bosses').entries()].find(({ key: name }) => name === 'ada')?.value).toEqual([
      'bob',
      'zoe',
    ]);
    driver.end();
  });

  it('stands below views and aggregates, and above joins', () => {
    const questions = topic('questions', { key: string(), value: json<string>() });
    const counted = asTable(
      topic('visits', { key: string(), value: json<number>() }).pipe(countByKey({ store: 'visits' })),
    );
    const visits = topic('visits', { key: string(), value: json<number>() });
    const rows = orders.pipe(
      mapRows((row) => ({ ...row, item: row.item.toUpperCase() })),
      joinRows(counted, (row, n) => [row.item, n] as const, { store: 'counted', key }),
      joinRows(customers, ([item, n], customer) => `${item} ${n} ${customer?.name}`, {
        store: 'all',
        type: 'left',
        key: (_row, id) => id,
      }),
    );
    const driver = new TestDriver(
      questions.pipe(
        joinTable(rows, (text, row) => [text, row]),
        to(out),
      ),
    );
    driver.pipe(toOrders, { key: 'ada', value: { customer: 'bob', item: 'tea' } });
    driver.pipeAll(visits, [
      { key: 'bob', value: 1 },
      { key: 'bob', value: 1 },
    ]);
    driver.pipe(toCustomers, { key: 'ada', value: { name: 'Ada' } });
    driver.pipe(questions, { key: 'ada', value: '?', timestamp: 5 });
    expect(shown(driver.read(out))).toEqual(['ada=["?","TEA 2 Ada"]@5']);
  });

  it('has no row where a function fails, and deletes the one that was there', () => {
    const strict = orders.pipe(
      joinRows(
        customers,
        (row, { name }) => {
          if (row.item === 'poison') throw new Error('no');
          return `${name}: ${row.item}`;
        },
        {
          store: 'named',
          key(row) {
            if (row.item === 'lost') throw new Error('lost');
            return row.customer;
          },
        },
      ),
    );
    const driver = new TestDriver(told(strict), { onRecordError: 'skip' });
    driver.pipe(toCustomers, { key: 'ada', value: { name: 'Ada' }, timestamp: 0 });
    for (const [timestamp, item] of ['tea', 'poison', 'tea', 'lost', 'tea'].entries()) {
      driver.pipe(toOrders, { key: '1', value: { customer: 'ada', item }, timestamp });
    }
    expect(shown(driver.read(out))).toEqual([
      '1=[null,"Ada: tea"]@0',
      '1=["Ada: tea",null]@1',
      '1=[null,"Ada: tea"]@2',
      '1=["Ada: tea",null]@3',
      '1=[null,"Ada: tea"]@4',
    ]);
    expect(driver.tasks().reduce((sum, { skipped }) => sum + skipped, 0)).toBe(2);
  });

  it('is three stages, with topics of the application', () => {
    expect(plan(told(named()), 'shop').stages.map(({ name }) => name)).toEqual([
      'orders',
      'shop-named-replies',
      'shop-named-subscriptions+customers',
    ]);
  });

  it('is refused with types that it has not, and where keys are not known', () => {
    const combine = (row: Order) => row.item;
    expect(thrown(() => joinRows(customers, combine, { store: 's', key, type: 'outer' } as never))).toMatchObject({
      code: 'ERR_OPTION',
    });
    const strange = asTable(toOrders.pipe(map((record) => record)), { store: 'x' });
    expect(thrown(() => strange.pipe(joinRows(customers, combine, { store: 's', key: () => 'k' })))).toMatchObject({
      code: 'ERR_SERDE',
    });
  });

  it('takes a row back that loses its right one and is deleted, whichever of both is heard of first (FK-3, FK-5)', () => {
    for (const moved of [0, 1]) {
      const pairs = orders.pipe(joinRows(customers, ({ item }) => item, { store: 'pairs', key }));
      const driver = new TestDriver(told(pairs), { partitions: 2 });
      driver.pipe(toCustomers, { key: 'ada', value: { name: 'Ada' } });
      for (let at = 0; at <= moved; at += 1)
        driver.pipe(toOrders, { key: '1', value: { customer: 'ada', item: 'tea' } });
      driver.read(out);
      driver.pipeAll(toOrders, [
        { key: '1', value: { customer: null, item: 'tea' } },
        { key: '1', value: null },
      ]);
      expect(driver.read(out).map(({ value }) => value)).toEqual([['tea', null]]);
      expect([...driver.store('pairs').entries()]).toEqual([]);
    }
  });
});
