import { seeded } from '../shared/random.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Start of the orders: midnight, 2 September 2024, UTC. */
export const START = Date.UTC(2024, 8, 2);
/** One day of orders. */
export const LENGTH_MS = 24 * HOUR;

const REGIONS = ['Alps', 'Baltic', 'Iberia', 'Isles', 'Levant', 'Nordics'] as const;
const GOODS = [
  ['tea', 450],
  ['coffee', 790],
  ['honey', 620],
  ['olives', 380],
  ['saffron', 1290],
  ['chocolate', 310],
  ['almonds', 540],
  ['vanilla', 980],
] as const;

/** A record of any of the topics, with the time at which it arrives there; records are published in that order. */
export interface Arrival<V> {
  readonly key: string;
  readonly timestamp: number;
  readonly arrival: number;
  readonly value: V;
}

export interface Order {
  readonly customer: string;
  readonly product: string;
  readonly pieces: number;
}

export interface Shop {
  readonly products: readonly Arrival<{ readonly name: string; readonly cents: number }>[];
  /** Each customer, and once more those who move to another region during the day. */
  readonly customers: readonly Arrival<{ readonly name: string; readonly region: string }>[];
  readonly orders: readonly Arrival<Order>[];
  readonly payments: readonly Arrival<{ readonly cents: number }>[];
  /** How many pieces of an order were returned; `null` cancels the return. */
  readonly returns: readonly Arrival<{ readonly pieces: number } | null>[];
}

/**
 * A day of a shop. Nine in ten orders are paid within ten minutes, by messages that take up to a minute. Some people pay
 * too slowly, some never. The messages of one bank arrive ninety minutes late.
 */
export function generateShop(count: number, seed: number): Shop {
  const random = seeded(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const at = <V>(key: string, timestamp: number, value: V, delay = 0): Arrival<V> => {
    return { key, timestamp, arrival: timestamp + delay, value };
  };

  // Rows that do not change are older than any order.
  const products = GOODS.map(([name, cents], i) => at(`p${i}`, 0, { name, cents }));
  const customers = Array.from({ length: 400 }, (_, i) =>
    at(`c${i}`, 0, { name: `Customer ${i}`, region: pick(REGIONS) }),
  );
  const moves = Array.from({ length: 60 }, () => {
    const { key, value } = pick(customers);
    return at(key, START + below(LENGTH_MS), { ...value, region: pick(REGIONS) });
  });

  const orders: Arrival<Order>[] = [];
  const payments: Shop['payments'][number][] = [];
  const returns: Shop['returns'][number][] = [];
  for (let n = 0; n < count; n += 1) {
    const id = `o${String(n).padStart(5, '0')}`;
    const time = START + Math.floor((n / count) * LENGTH_MS);
    const { key: product, value: goods } = pick(products);
    const order = { customer: pick(customers).key, product, pieces: 1 + below(5) };
    orders.push(at(id, time, order));

    const fate = random();
    if (fate > 0.97) continue; // never paid
    const slow = fate > 0.93;
    const paidAt = time + (slow ? 20 * MINUTE + below(20 * MINUTE) : 5_000 + below(10 * MINUTE));
    // Later orders must close the time of such a message, so that bank is not used in the last hours.
    const held = fate < 0.02 && time < START + LENGTH_MS - 4 * HOUR;
    payments.push(at(id, paidAt, { cents: order.pieces * goods.cents }, held ? 90 * MINUTE : below(MINUTE)));

    if (slow || held || random() > 0.1) continue;
    const sentBack = paidAt + HOUR + below(8 * HOUR);
    returns.push(at(id, sentBack, { pieces: 1 + below(order.pieces) }));
    if (random() < 0.15) returns.push(at(id, sentBack + HOUR, null));
  }
  const arrived = <V>(records: readonly Arrival<V>[]): readonly Arrival<V>[] =>
    [...records].sort((a, b) => a.arrival - b.arrival);
  return {
    products,
    customers: arrived([...customers, ...moves]),
    orders,
    payments: arrived(payments),
    returns: arrived(returns),
  };
}
