import { hopping, joinWindow, json, sliding, string, topic, type Window, type WindowedRecord } from 'millrace';
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
const minutes = hopping({ size: '1m', advance: '10s', grace: '0s' });

describe('joinWindow', () => {
  it('has both values in an inner join, and may lack one in others', () => {
    const inner = orders.pipe(
      joinWindow(
        payments,
        minutes,
        (order, payment, at) => {
          expectTypeOf(order).toEqualTypeOf<Order>();
          expectTypeOf(payment).toEqualTypeOf<Payment>();
          expectTypeOf(at.window).toEqualTypeOf<Window>();
          expectTypeOf(at.right).toEqualTypeOf<number>();
          return order.total - payment.amount;
        },
        { store: 's' },
      ),
    );
    expectTypeOf(inner).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
    orders.pipe(
      joinWindow(
        payments,
        minutes,
        (order, payment, at) => {
          expectTypeOf(payment).toEqualTypeOf<Payment | null>();
          expectTypeOf(at.right).toEqualTypeOf<number | null>();
          return order.total;
        },
        { store: 's', type: 'left' },
      ),
    );
    orders.pipe(
      joinWindow(
        payments,
        minutes,
        (order, payment) => {
          expectTypeOf(order).toEqualTypeOf<Order | null>();
          if (payment === null) expectTypeOf(order).toEqualTypeOf<Order>();
          return 1;
        },
        { store: 's', type: 'outer' },
      ),
    );
  });

  it('refuses windows that two streams do not share, and other keys', () => {
    const near = sliding({ difference: '1m', grace: '0s' });
    // @ts-expect-error sliding windows are around records
    orders.pipe(joinWindow(payments, near, (order) => order, { store: 's' }));
    const unkeyed = topic('unkeyed', { value: json<Payment>() });
    // @ts-expect-error it has no keys
    orders.pipe(joinWindow(unkeyed, minutes, (order) => order, { store: 's' }));
  });
});
