import {
  agg,
  asTable,
  countByKey,
  json,
  mapRows,
  mapValues,
  nullable,
  regroup,
  string,
  table,
  to,
  topic,
  toStream,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { headers, shown, texts, thrown } from '../operators/operators.fixtures.ts';
import { plan } from '../plan/topology.ts';

interface Order {
  readonly region: string | null;
  readonly total: number;
}
const order = json<Order>();
const orders = table('orders', { key: string(), value: order });
const input = topic('orders', { key: string(), value: nullable(order) });
const byRegion = topic('by-region', { key: string(), value: order });
const out = topic('out', { key: string(), value: json<readonly unknown[]>() });
const at = (key: string, region: string | null, total: number, timestamp: number) => ({
  key,
  value: { region, total },
  timestamp,
});
const gone = (key: string, timestamp: number) => ({ key, value: null, timestamp });

const revenue = () =>
  orders.pipe(
    regroup(
      (row) => row.region,
      byRegion,
      agg.sum((row) => row.total),
      { store: 'revenue' },
    ),
  );
const told = (rows = revenue()) =>
  rows.pipe(
    toStream(),
    mapValues((value, { before }) => [before, value] as const),
    to(out),
  );

describe('regroup', () => {
  it('changes a row within its group at once, and between groups the old one first (TA-1, TA-2)', () => {
    const driver = new TestDriver(told());
    driver.pipe(input, at('1', 'north', 5, 1));
    driver.pipe(input, at('2', 'north', 7, 9));
    driver.restart();
    driver.pipe(input, at('1', 'north', 6, 3));
    driver.pipe(input, at('2', 'south', 8, 4));
    driver.pipe(input, gone('1', 5));
    driver.pipe(input, gone('3', 6));
    expect(shown(driver.read(out))).toEqual([
      'north=[null,5]@1',
      'north=[5,12]@9',
      'north=[12,13]@9',
      'north=[13,6]@9',
      'south=[null,8]@4',
      'north=[6,0]@9',
    ]);
  });

  it('leaves out rows without a group, and those for which the function fails (TA-3)', () => {
    const strict = orders.pipe(
      regroup(
        ({ region, total }) => {
          if (total < 0) throw new Error('negative');
          return region;
        },
        byRegion,
        agg.sum((row) => row.total),
        { store: 'revenue' },
      ),
    );
    const driver = new TestDriver(told(strict), { onRecordError: 'skip' });
    driver.pipeAll(input, [
      at('1', null, 1, 1),
      at('1', 'north', 2, 2),
      at('1', 'north', -1, 3),
      at('1', 'north', 4, 4),
    ]);
    expect(shown(driver.read(out))).toEqual(['north=[null,2]@2', 'north=[2,0]@3', 'north=[0,4]@4']);
    expect(driver.tasks().reduce((sum, { skipped }) => sum + skipped, 0)).toBe(1);
  });

  it('deletes the row of a group when the aggregator says so, and starts again', () => {
    const counts = orders.pipe(
      regroup(
        (row) => row.region,
        byRegion,
        agg.custom({
          name: 'orders',
          init: () => 0,
          add: (n, _row: Order) => n + 1,
          remove: (n) => (n === 1 ? null : n - 1),
        }),
        { store: 'counts' },
      ),
    );
    const driver = new TestDriver(told(counts));
    driver.pipeAll(input, [at('1', 'north', 1, 1), gone('1', 2), at('2', 'north', 1, 3), at('2', 'north', 2, 4)]);
    expect(shown(driver.read(out))).toEqual([
      'north=[null,1]@1',
      'north=[1,null]@2',
      'north=[null,1]@3',
      'north=[1,1]@4',
    ]);
    expect([...driver.store('counts').entries()]).toEqual([{ key: 'north', value: 1, timestamp: 4 }]);
  });

  it('sends the row that a group gains as value, and the other one as a header', () => {
    const driver = new TestDriver(told());
    driver.pipe(input, { ...at('1', 'north', 5, 1), headers: headers(['trace', 'x']) });
    driver.pipe(input, at('1', 'north', 6, 2));
    driver.pipe(input, gone('1', 3));
    expect(driver.read(byRegion).map(({ headers: own, value }) => [value, texts(own)])).toEqual([
      [{ region: 'north', total: 5 }, { trace: 'x' }],
      [{ region: 'north', total: 6 }, { 'millrace.removed': '{"region":"north","total":5}' }],
      [null, { 'millrace.removed': '{"region":"north","total":6}' }],
    ]);
    expect(driver.read(out).map((row) => texts(row.headers))).toEqual([{ trace: 'x' }, {}, {}]);
  });

  it('stands below views and aggregates, and above others', () => {
    const bySize = topic('by-size', { key: string(), value: json<number>() });
    const totals = topic('totals', { key: string(), value: json<number>() });
    const big = asTable(
      topic('events', { key: string(), value: json<number>() }).pipe(countByKey({ store: 'events' })),
    ).pipe(
      regroup((n) => (n > 1 ? 'big' : 'small'), bySize, agg.count(), { store: 'sizes' }),
      mapRows((n) => n * 10),
      regroup(() => 'all', totals, { sum: agg.sum((n) => n), n: agg.count() }, { store: 'all' }),
    );
    const driver = new TestDriver(big.pipe(toStream()));
    const events = topic('events', { key: string(), value: json<number>() });
    driver.pipeAll(
      events,
      ['a', 'b', 'a', 'c', 'b', 'b'].map((key, timestamp) => ({ key, value: 1, timestamp })),
    );
    expect([...driver.store('sizes').entries()].map(({ key, value }) => [key, value])).toEqual([
      ['big', 2],
      ['small', 1],
    ]);
    expect([...driver.store('all').entries()].map(({ value }) => value)).toEqual([{ sum: 30, n: 2 }]);
  });

  it('is a stage of its own, and its topic is written and read by it alone', () => {
    expect(plan(told()).stages.map(({ name }) => name)).toEqual(['by-region', 'orders']);
    expect(thrown(() => plan([told(), byRegion.pipe(to(out as never))]))).toMatchObject({
      code: 'ERR_DUPLICATE_SOURCE',
    });
  });

  it('is refused with an aggregator that cannot remove, without keys, and without a store', () => {
    const region = (row: Order) => row.region;
    expect(
      thrown(() =>
        regroup(
          region,
          byRegion,
          agg.max((row: Order) => row.total),
          { store: 's' },
        ),
      ),
    ).toMatchObject({
      code: 'ERR_AGGREGATION',
    });
    expect(
      thrown(() => regroup(region, topic('t', { value: order }) as never, agg.count(), { store: 's' })),
    ).toMatchObject({ code: 'ERR_SERDE' });
    expect(thrown(() => regroup(region, byRegion, agg.count(), {} as never))).toMatchObject({ code: 'ERR_STORE_NAME' });
  });
});
