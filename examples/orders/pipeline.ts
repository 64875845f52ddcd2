import {
  agg,
  asTable,
  filterValues,
  globalTable,
  joinRows,
  joinStream,
  joinTable,
  json,
  regroup,
  string,
  table,
  to,
  topic,
  toStream,
} from 'millrace';
import { z } from 'zod';

const partitions = 4;

const Order = z.object({ customer: z.string(), product: z.string(), pieces: z.int() });
const Payment = z.object({ cents: z.int() });
/** An order whose time to be paid is over. */
const Settled = Order.extend({ paid: z.boolean(), name: z.string(), cents: z.int() });
const Sale = z.object({ region: z.string(), pieces: z.int(), returned: z.int(), cents: z.int() });
const Revenue = z.object({ orders: z.int(), pieces: z.int(), returned: z.int(), cents: z.int() });

// By order.
export const orders = topic('orders', { key: string(), value: json(Order), partitions });
export const payments = topic('payments', { key: string(), value: json(Payment), partitions });
export const latePayments = topic('late-payments', { key: string(), value: json(Payment), partitions: 1 });
export const returns = table('returns', { key: string(), value: json(z.object({ pieces: z.int() })), partitions });
export const settled = topic('settled', { key: string(), value: json(Settled), partitions });

// By product, by customer, by region.
export const products = globalTable('products', {
  key: string(),
  value: json(z.object({ name: z.string(), cents: z.int() })),
  partitions: 1,
});
export const customers = table('customers', {
  key: string(),
  value: json(z.object({ name: z.string(), region: z.string() })),
  partitions: 2,
});
const salesByRegion = topic('sales-by-region', { key: string(), value: json(Sale), partitions });
export const revenue = topic('revenue', { key: string(), value: json(Revenue), partitions });

/** Each order once: when it is paid, or when its fifteen minutes are over without a payment. */
const checked = orders.pipe(
  joinStream(payments, (order, payment) => ({ ...order, paid: payment !== null }), {
    store: 'paid-orders',
    within: { before: '0s', after: '15m' },
    grace: '2m',
    type: 'left',
    late: { right: (late) => late.pipe(to(latePayments)) },
  }),
  joinTable(products, (order, { name, cents }) => ({ ...order, name, cents: order.pieces * cents }), {
    key: (order) => order.product,
  }),
);

/** What customers kept, at the price of the order; a row changes when something is returned. */
const kept = asTable(checked.pipe(filterValues((order) => order.paid)), { store: 'sales' }).pipe(
  joinRows(
    returns,
    (order, back) => {
      const returned = back?.pieces ?? 0;
      const pieces = order.pieces - returned;
      return { customer: order.customer, pieces, returned, cents: (order.cents / order.pieces) * pieces };
    },
    { store: 'kept', type: 'left' },
  ),
);

/** Revenue per region: a return is subtracted; when a customer moves, all their orders move too. */
const perRegion = kept.pipe(
  joinRows(customers, ({ customer: _, ...sale }, { region }) => ({ ...sale, region }), {
    store: 'kept-by-customer',
    key: (sale) => sale.customer,
  }),
  regroup(
    (sale) => sale.region,
    salesByRegion,
    {
      orders: agg.count(),
      pieces: agg.sum((sale) => sale.pieces),
      returned: agg.sum((sale) => sale.returned),
      cents: agg.sum((sale) => sale.cents),
    },
    { store: 'revenue' },
  ),
  toStream(),
  to(revenue),
);

export const pipeline = [checked.pipe(to(settled)), perRegion];
