import { joinRows, joinStream, joinTable, json, string, table, to, topic, toStream } from 'millrace';
import {
  closing,
  compare,
  GRACE,
  type Judgement,
  numbers,
  type OutputRow,
  PARTITIONS,
  timeOf,
  type Workload,
} from './algebra.ts';

/** A payment comes as long after its order as so many numbers; one in three never comes. */
const PAID_AFTER = 25;
const isPaid = (n: number): boolean => n >= 0 && n % 3 !== 0;

/** Two streams, left. */
export function payments(name: string): Workload {
  const orders = topic(`${name}-orders`, { key: string(), value: json<number>(), partitions: PARTITIONS });
  const paid = topic(`${name}-payments`, { key: string(), value: json<number>(), partitions: PARTITIONS });
  const output = topic(`${name}-checked`, { key: string(), value: json(), partitions: PARTITIONS });
  const pipeline = orders.pipe(
    joinStream(paid, (n, payment) => ({ n, payment }), {
      store: 'paid-orders',
      within: { before: '0s', after: '5s' },
      grace: GRACE,
      type: 'left',
    }),
    to(output),
  );
  const read = [orders.name, paid.name];
  return {
    pipeline,
    topics: [...read, output.name],
    read,
    output: output.name,
    publish: (client, start, list) => {
      const late = list.filter((n) => isPaid(n - PAID_AFTER));
      return Promise.all([
        client.publishAll(
          orders,
          list.map((n) => ({ key: `order-${n}`, value: n, timestamp: timeOf(start, n) })),
        ),
        client.publishAll(
          paid,
          late.map((n) => ({ key: `order-${n - PAID_AFTER}`, value: n, timestamp: timeOf(start, n) })),
        ),
      ]);
    },
    close: (client, start, count) => closing(client, orders, -1, timeOf(start, count) + 5000),
    judge: (rows, _start, count) =>
      compare(
        new Map(
          numbers(count).map((n) => {
            const payment = isPaid(n) && n + PAID_AFTER < count ? n + PAID_AFTER : null;
            return [`order-${n}`, JSON.stringify({ n, payment })];
          }),
        ),
        rows.map(({ key, value }) => [key, value]),
      ),
  };
}

interface Order {
  readonly n: number;
  readonly customer: string;
}
const ORDERS = 48;
const customerOf = (n: number): string => `customer-${(n * 7) % 8}`;
/** The number that a customer has from the n-th record on; each has one from the beginning. */
const customerAt = (n: number): string | undefined => (n % 10 === 0 ? `customer-${(n / 10) % 8}` : undefined);
const orderAt = (n: number): Order | null => (n % 37 === 36 ? null : { n, customer: customerOf(n) });

/** Two tables, by a foreign key. */
export function labels(name: string): Workload {
  const orders = table(`${name}-orders`, { key: string(), value: json<Order>(), partitions: PARTITIONS });
  const customers = table(`${name}-customers`, { key: string(), value: json<number>(), partitions: PARTITIONS });
  const output = topic(`${name}-labels`, { key: string(), value: json<object | null>(), partitions: PARTITIONS });
  const pipeline = orders.pipe(
    joinRows(customers, ({ n }, customer) => ({ n, customer }), { store: 'labels', key: (order) => order.customer }),
    toStream(),
    to(output),
  );
  return {
    pipeline,
    topics: [orders.name, customers.name, output.name],
    read: [orders.name, customers.name],
    output: output.name,
    publish: async (client, start, list) => {
      const changed = list.flatMap((n) => {
        const key = customerAt(n);
        return key === undefined ? [] : [{ key, value: n, timestamp: timeOf(start, n) }];
      });
      // Before the first order there are all customers.
      if (list.includes(0)) {
        const first = numbers(8).map((n) => ({ key: customerOf(n), value: -1, timestamp: start }));
        await client.publishAll(customers, first);
      }
      return Promise.all([
        client.publishAll(customers, changed),
        client.publishAll(
          orders,
          list.map((n) => ({ key: `order-${n % ORDERS}`, value: orderAt(n), timestamp: timeOf(start, n) })),
        ),
      ]);
    },
    close: async () => undefined,
    judge: judgeLabels,
  };
}

/** Rows in between may be skipped. So the last one counts, no row may come again, and each must have been true once. */
function judgeLabels(rows: readonly OutputRow[], _start: number, count: number): Judgement {
  const [lost, repeated, wrong]: [string[], string[], string[]] = [[], [], []];
  const newest = new Map<string, number>(numbers(8).map((n) => [customerOf(n), -1]));
  const last = new Map<string, Order | null>();
  const deleted = new Map<string, number>();
  for (const n of numbers(count)) {
    const [order, customer, key] = [orderAt(n), customerAt(n), `order-${n % ORDERS}`];
    last.set(key, order);
    if (order === null) deleted.set(key, (deleted.get(key) ?? 0) + 1);
    if (customer !== undefined) newest.set(customer, n);
  }
  for (const [key, order] of last) {
    const found = rows.filter((row) => row.key === key).map(({ value }) => value);
    const wanted = order === null ? null : JSON.stringify({ n: order.n, customer: newest.get(order.customer) });
    if ((found.at(-1) ?? null) !== wanted) lost.push(`${key}: ${found.at(-1)}, and not ${wanted}`);
    const texts = found.filter((value) => value !== null);
    if (new Set(texts).size < texts.length) repeated.push(`${key}: ${texts.join(' ')}`);
    if (found.length - texts.length > (deleted.get(key) ?? 0))
      repeated.push(`${key}: ${found.length - texts.length} null`);
    for (const text of texts) {
      const { n, customer } = JSON.parse(text) as { n: number; customer: number };
      const owner = orderAt(n)?.customer;
      const belongs = `order-${n % ORDERS}` === key && (customer < 0 || customerAt(customer) === owner);
      if (!belongs || n >= count) wrong.push(`${key}: ${text}`);
    }
  }
  return { lost, repeated, wrong };
}

/** A stream, and a table with history of which records see the row of their time. */
export function prices(name: string): Workload {
  const sales = topic(`${name}-sales`, { key: string(), value: json<number>(), partitions: PARTITIONS });
  const costs = table(`${name}-prices`, {
    key: string(),
    value: json<number>(),
    partitions: PARTITIONS,
    history: '1h',
  });
  const output = topic(`${name}-sold`, { key: string(), value: json(), partitions: PARTITIONS });
  const pipeline = sales.pipe(
    joinTable(costs, (n, price) => ({ n, price }), { grace: GRACE, store: 'waiting-sales', type: 'left' }),
    to(output),
  );
  const articleOf = (n: number): string => `article-${(n * 3) % 8}`;
  return {
    pipeline,
    topics: [sales.name, costs.name, output.name],
    read: [sales.name, costs.name],
    output: output.name,
    publish: (client, start, list) => {
      const changed = list.filter((n) => n % 5 === 0);
      return Promise.all([
        client.publishAll(
          costs,
          changed.map((n) => ({ key: `article-${(n / 5) % 8}`, value: n, timestamp: timeOf(start, n) })),
        ),
        client.publishAll(
          sales,
          list.map((n) => ({ key: articleOf(n), value: n, timestamp: timeOf(start, n) })),
        ),
      ]);
    },
    close: (client, start, count) => closing(client, sales, -1, timeOf(start, count)),
    judge: (rows, _start, count) => {
      const newest = new Map<string, number>();
      const expected = new Map<string, string>();
      for (const n of numbers(count)) {
        if (n % 5 === 0) newest.set(`article-${(n / 5) % 8}`, n);
        expected.set(`${n}`, JSON.stringify({ n, price: newest.get(articleOf(n)) ?? null }));
      }
      return compare(
        expected,
        rows.map(({ value }) => [`${(JSON.parse(value ?? '{}') as { n?: number }).n}`, value]),
      );
    },
  };
}
