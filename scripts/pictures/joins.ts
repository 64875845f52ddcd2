import { type JoinType, joinStream, joinTable, json, string, table, to, topic } from 'millrace';
import { any, type Picture, type Put, type Result } from './picture.ts';

const orders = topic('orders', { key: string(), value: string() });
const payments = topic('payments', { key: string(), value: string() });
const rows = topic('rows', { key: string(), value: string() });

const order = (key: string, timestamp: number): Put => ({ into: any(orders), key, value: 'o', timestamp });
const payment = (key: string, timestamp: number): Put => ({ into: any(payments), key, value: 'p', timestamp });
const keyAndTime = ({ key, timestamp }: Put): string => `${key}@${timestamp}`;

function joined(type: JoinType): Result {
  const options = { store: 'paid', within: { before: '0ms', after: '10ms' }, grace: '5ms' } as const;
  const combine = (left: string | null, right: string | null): string => `${left ?? 'null'}+${right ?? 'null'}`;
  const join = {
    inner: () => orders.pipe(joinStream(payments, combine, { ...options, type: 'inner' }), to(rows)),
    left: () => orders.pipe(joinStream(payments, combine, { ...options, type: 'left' }), to(rows)),
    outer: () => orders.pipe(joinStream(payments, combine, { ...options, type: 'outer' }), to(rows)),
  };
  return { label: type, pipeline: join[type](), from: any(rows) };
}

const sales = topic('sales', { key: string(), value: json<number>() });
const prices = table('prices', { key: string(), value: json<number>() });
const versions = table('prices', { key: string(), value: json<number>(), history: '1h' });
const sale = (timestamp: number): Put => ({ into: any(sales), key: 'tea', value: 1, timestamp });
const price = (value: number, timestamp: number): Put => ({ into: any(prices), key: 'tea', value, timestamp });
const at = (_: number, cents: number | null): string => `${cents}`;

export const joins: Readonly<Record<string, Picture>> = {
  'joins-streams': {
    records: [order('a', 0), order('b', 2), payment('a', 4), payment('x', 6), order('c', 18), order('d', 30)],
    show: keyAndTime,
    results: [joined('inner'), joined('left'), joined('outer')],
    ends: true,
  },
  'joins-late': {
    records: [order('a', 0), order('b', 16), payment('a', 9), payment('b', 11), payment('b', 17)],
    show: keyAndTime,
    results: [
      joined('left'),
      {
        label: 'late',
        pipeline: orders.pipe(
          joinStream(payments, () => '', {
            store: 'paid',
            within: { before: '0ms', after: '10ms' },
            grace: '5ms',
            late: { right: (late) => late.pipe(to(rows)) },
          }),
        ),
        from: any(rows),
        show: ({ key, timestamp }) => `${key}@${timestamp}`,
      },
    ],
    ends: true,
  },
  'joins-tables': {
    records: [sale(5), price(3, 10), sale(12), price(4, 20), price(5, 15), sale(22), sale(40)],
    results: [
      {
        label: 'newest row',
        pipeline: sales.pipe(joinTable(prices, at, { type: 'left' }), to(rows)),
        from: any(rows),
      },
      {
        label: 'of the time',
        pipeline: sales.pipe(joinTable(versions, at, { type: 'left' }), to(rows)),
        from: any(rows),
      },
      {
        label: 'grace 10ms',
        pipeline: sales.pipe(joinTable(versions, at, { type: 'left', grace: '10ms', store: 'waiting' }), to(rows)),
        from: any(rows),
      },
    ],
    ends: true,
  },
};
