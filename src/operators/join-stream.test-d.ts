import { joinStream, json, keyBy, nullable, type StreamRecord, string, topic, type WindowedRecord } from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

interface Order {
  readonly total: number;
}
interface Payment {
  readonly amount: number;
}
const orders = topic('orders', { key: string(), value: json<Order>() });
const payments = topic('payments', { key: string(), value: json<Payment>() });
const options = { store: 's', within: '1m', grace: '0s' } as const;

describe('joinStream', () => {
  it('has both values in an inner join', () => {
    const joined = orders.pipe(
      joinStream(
        payments,
        (order, payment, at) => {
          expectTypeOf(order).toEqualTypeOf<Order>();
          expectTypeOf(payment).toEqualTypeOf<Payment>();
          expectTypeOf(at.key).toEqualTypeOf<string>();
          expectTypeOf(at.right).toEqualTypeOf<number>();
          return order.total - payment.amount;
        },
        options,
      ),
    );
    expectTypeOf(joined).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    orders.pipe(joinStream(payments, (order, payment) => order.total + payment.amount, { ...options, type: 'inner' }));
  });

  it('may lack the right value in a left join', () => {
    const joined = orders.pipe(
      joinStream(
        payments,
        (order, payment, at) => {
          expectTypeOf(order).toEqualTypeOf<Order>();
          expectTypeOf(payment).toEqualTypeOf<Payment | null>();
          expectTypeOf(at.left).toEqualTypeOf<number>();
          expectTypeOf(at.right).toEqualTypeOf<number | null>();
          return payment?.amount ?? 'none';
        },
        { ...options, type: 'left' },
      ),
    );
    expectTypeOf(joined).toEqualTypeOf<Observable<StreamRecord<string, number | 'none'>>>();
    // @ts-expect-error the payment may be missing
    orders.pipe(joinStream(payments, (_order, payment) => payment.amount, { ...options, type: 'left' }));
  });

  it('lacks at most one value in an outer join', () => {
    orders.pipe(
      joinStream(
        payments,
        (order, payment) => {
          expectTypeOf(order).toEqualTypeOf<Order | null>();
          if (order === null) {
            expectTypeOf(payment).toEqualTypeOf<Payment>();
            return 0;
          }
          expectTypeOf(payment).toEqualTypeOf<Payment | null>();
          return order.total;
        },
        { ...options, type: 'outer' },
      ),
    );
  });

  it('keeps null out of values, and in keys only where a record may stay alone', () => {
    const loose = topic('loose', { key: nullable(string()), value: nullable(json<Order>()) });
    const inner = loose.pipe(
      joinStream(
        payments,
        (order, payment) => {
          expectTypeOf(order).toEqualTypeOf<Order>();
          return payment.amount;
        },
        options,
      ),
    );
    expectTypeOf(inner).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    const left = loose.pipe(joinStream(payments, (order) => order.total, { ...options, type: 'left' }));
    expectTypeOf(left).toEqualTypeOf<Observable<StreamRecord<string | null, number>>>();
  });

  it('gives records without a window', () => {
    const windowed = orders as unknown as Observable<WindowedRecord<string, Order>>;
    const joined = windowed.pipe(joinStream(payments, (order) => order.total, options));
    expectTypeOf(joined).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
  });

  it('refuses keys that lie elsewhere, keys of another type, and no keys', () => {
    const byTotal = orders.pipe(keyBy((order) => `${order.total}`));
    const numbered = topic('numbered', { key: json<number>(), value: json<Payment>() });
    const keyless = topic('keyless', { value: json<Payment>() });
    // @ts-expect-error key changed: pipe through(topic) before a stateful operator
    byTotal.pipe(joinStream(payments, (order) => order.total, options));
    // @ts-expect-error the same on the right side
    orders.pipe(joinStream(byTotal, (order) => order.total, options));
    // @ts-expect-error keys are numbers there
    orders.pipe(joinStream(numbered, (order) => order.total, options));
    // @ts-expect-error no key
    orders.pipe(joinStream(keyless, (order) => order.total, options));
    // @ts-expect-error no key
    keyless.pipe(joinStream(orders, (payment) => payment.amount, options));
  });

  it('has required options, and late records by side', () => {
    // @ts-expect-error grace is required
    orders.pipe(joinStream(payments, (order) => order.total, { store: 's', within: '1m' }));
    // @ts-expect-error a duration has a unit
    orders.pipe(joinStream(payments, (order) => order.total, { ...options, within: '5' }));
    orders.pipe(
      joinStream(payments, (order) => order.total, {
        ...options,
        late: {
          left: (records) => {
            expectTypeOf<
              typeof records extends Observable<infer L extends { value: unknown }> ? L['value'] : never
            >().toEqualTypeOf<Order>();
            return records;
          },
        },
        value: { right: json<Payment>() },
      }),
    );
  });
});
