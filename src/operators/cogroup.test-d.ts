import { type Change, cogroup, json, session, string, topic, tumbling, type WindowedRecord } from 'millrace';
import type { Observable } from 'rxjs';
import { expectTypeOf, it } from 'vitest';

const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
const payments = topic('payments', { key: string(), value: json<number>() });

it('cogroup infers states and values', () => {
  const running = cogroup([orders, payments], {
    store: 's',
    init: () => 0,
    add: [
      (sum, order) => {
        expectTypeOf(order).toEqualTypeOf<{ total: number }>();
        return sum + order.total;
      },
      (sum, payment, { timestamp }) => sum - payment + timestamp,
    ],
  });
  expectTypeOf(running).toEqualTypeOf<Observable<Change<string, number, never>>>();
  const deleting = cogroup([orders, payments], {
    store: 's',
    init: () => 0,
    add: [(sum, order) => sum + order.total, (sum, payment) => (sum === payment ? null : sum - payment)],
  });
  expectTypeOf(deleting).toEqualTypeOf<Observable<Change<string, number>>>();
  const closed = cogroup([orders, payments], {
    store: 's',
    windows: tumbling({ size: '1m', grace: '0s' }),
    init: () => 0,
    add: [(sum, order) => sum + order.total, (sum, payment) => sum - payment],
  });
  expectTypeOf(closed).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
  const updated = cogroup([orders, payments], {
    store: 's',
    windows: session({ gap: '1m', grace: '0s' }),
    emit: 'updates',
    init: () => 0,
    add: [(sum, order) => sum + order.total, (sum, payment) => sum - payment],
    merge: (left, right) => left + right,
  });
  expectTypeOf(updated).toEqualTypeOf<Observable<WindowedRecord<string, number | null>>>();
  cogroup([orders, payments], {
    store: 's',
    init: () => 0,
    // @ts-expect-error one function for each stream
    add: [(sum, order) => sum + order.total],
  });
});
