import type { Shop } from './shop.ts';

/** An order has fifteen minutes to be paid, and messages may be two minutes late. */
const TO_PAY_MS = 15 * 60_000;
const GRACE_MS = 2 * 60_000;

/** The expected results of the pipeline, computed without it. */
export interface Expected {
  /** Whether an order was paid, by order. */
  readonly paid: ReadonlyMap<string, boolean>;
  /** Revenue by region. */
  readonly revenue: ReadonlyMap<string, unknown>;
  /** Payments that came too late, by order. */
  readonly late: ReadonlyMap<string, unknown>;
}

export function expectedOf({ customers, orders, payments, products, returns }: Shop): Expected {
  const inTime = new Map(payments.filter((each) => each.arrival - each.timestamp <= GRACE_MS).map((p) => [p.key, p]));
  const late = new Map(payments.filter(({ key }) => !inTime.has(key)).map(({ key, value }) => [key, value]));
  // Only the last row of a key counts.
  const regionOf = new Map(customers.map(({ key, value }) => [key, value.region]));
  const priceOf = new Map(products.map(({ key, value }) => [key, value.cents]));
  const returnOf = new Map(returns.map(({ key, value }) => [key, value?.pieces ?? 0]));

  const paid = new Map<string, boolean>();
  const revenue = new Map<string, { orders: number; pieces: number; returned: number; cents: number }>();
  for (const { key, timestamp, value } of orders) {
    const payment = inTime.get(key);
    paid.set(key, payment !== undefined && payment.timestamp <= timestamp + TO_PAY_MS);
    if (paid.get(key) !== true) continue;
    const region = regionOf.get(value.customer) ?? '';
    const row = revenue.get(region) ?? { orders: 0, pieces: 0, returned: 0, cents: 0 };
    const returned = returnOf.get(key) ?? 0;
    revenue.set(region, {
      orders: row.orders + 1,
      pieces: row.pieces + value.pieces - returned,
      returned: row.returned + returned,
      cents: row.cents + (value.pieces - returned) * (priceOf.get(value.product) ?? 0),
    });
  }
  return { paid, revenue, late };
}
