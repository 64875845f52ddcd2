import {
  agg,
  filterRows,
  joinRows,
  json,
  regroup,
  string,
  suppress,
  type Table,
  table,
  to,
  topic,
  toStream,
} from 'millrace';
import { any, type Picture, type Put, type Result, text } from './picture.ts';

const stock = table('stock', { key: string(), value: json<number>() });
const prices = table('prices', { key: string(), value: json<number>() });
const orders = table('orders', { key: string(), value: string() });
const customers = table('customers', { key: string(), value: string() });
const rows = topic('rows', { key: string(), value: json<string | number | null>() });
const byCustomer = topic('orders-by-customer', { key: string(), value: string() });

const row = (into: { readonly name: string }, key: string, value: number | string | null, timestamp = 0): Put => ({
  into: any(into as typeof stock),
  key,
  value,
  timestamp,
});
const noTime = ({ key, value }: { readonly key: string; readonly value: unknown }): string => `${key}:${text(value)}`;

const result = (label: string, made: Table<string, string> | Table<string, number>): Result => ({
  label,
  pipeline: (made as Table<string, string | number>).pipe(toStream(), to(rows)),
  from: any(rows),
  show: noTime,
});

const offer = (pieces: number | null, price: number | null): string => `${pieces}/${price}`;

const limited = { store: 'calm', until: '5ms' } as const;

export const tables: Readonly<Record<string, Picture>> = {
  'tables-changes': {
    show: noTime,
    records: [
      row(stock, 'tea', 2),
      row(stock, 'tea', 0),
      row(stock, 'tea', 3),
      row(stock, 'tea', null),
      row(stock, 'tea', null),
    ],
    results: [result('toStream', stock), result('n > 0', stock.pipe(filterRows((pieces) => pieces > 0)))],
  },
  'tables-joins': {
    show: noTime,
    records: [
      row(prices, 'tea', 5),
      row(stock, 'tea', 2),
      row(stock, 'milk', 9),
      row(prices, 'tea', null),
      row(stock, 'tea', null),
    ],
    results: [
      result('inner', stock.pipe(joinRows(prices, offer, { store: 'inner' }))),
      result('left', stock.pipe(joinRows(prices, offer, { store: 'left', type: 'left' }))),
      result('outer', stock.pipe(joinRows(prices, offer, { store: 'outer', type: 'outer' }))),
    ],
  },
  'tables-foreign-key': {
    show: noTime,
    records: [
      row(customers, 'c1', 'Ada'),
      row(orders, '1', 'c1'),
      row(orders, '2', 'c2'),
      row(customers, 'c2', 'Bob'),
      row(orders, '1', 'c2'),
      row(customers, 'c2', null),
      row(orders, '2', null),
    ],
    results: [
      result(
        'inner',
        orders.pipe(joinRows(customers, (_, name) => name, { store: 'inner', key: (customer) => customer })),
      ),
      result(
        'left',
        orders.pipe(
          joinRows(customers, (_, name) => `${name}`, { store: 'left', key: (customer) => customer, type: 'left' }),
        ),
      ),
    ],
  },
  'tables-regroup': {
    show: noTime,
    records: [row(orders, '1', 'ada'), row(orders, '2', 'ada'), row(orders, '1', 'bob'), row(orders, '2', null)],
    results: [
      result('count', orders.pipe(regroup((customer) => customer, byCustomer, agg.count(), { store: 'per-customer' }))),
    ],
  },
  'tables-suppress': {
    records: [
      row(stock, 'a', 1, 0),
      row(stock, 'a', 2, 3),
      row(stock, 'b', 7, 4),
      row(stock, 'a', 3, 6),
      row(stock, 'b', 8, 12),
    ],
    results: [
      { label: 'toStream', pipeline: stock.pipe(toStream(), to(rows)), from: any(rows) },
      {
        label: "until '5ms'",
        pipeline: stock.pipe(toStream(), suppress(limited), to(rows)),
        from: any(rows),
      },
      {
        label: 'one at most',
        pipeline: stock.pipe(toStream(), suppress({ ...limited, maxRecords: 1, full: 'emit' }), to(rows)),
        from: any(rows),
      },
    ],
    ends: true,
  },
};
