import { joinLookup, json, nullable, type StreamRecord, string, topic } from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

interface Order {
  readonly item: number;
}
const orders = topic('orders', { key: string(), value: json<Order>() });
const loose = topic('loose', { key: nullable(string()), value: nullable(json<Order>()) });
const priceOf = async (item: number): Promise<{ price: number } | undefined> => ({ price: item });
const userOf = async (id: string): Promise<string | null> => id;

describe('joinLookup', () => {
  it('asks for the key, or for what `key` gives', () => {
    const named = loose.pipe(
      joinLookup(userOf, (order, user, record) => {
        expectTypeOf(order).toEqualTypeOf<Order>();
        expectTypeOf(user).toEqualTypeOf<string>();
        expectTypeOf(record.key).toEqualTypeOf<string | null>();
        return user.length;
      }),
    );
    expectTypeOf(named).toEqualTypeOf<Observable<StreamRecord<string | null, number>>>();
    const inline = orders.pipe(
      joinLookup(
        async (id, { signal }) => {
          expectTypeOf(id).toEqualTypeOf<string>();
          expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
          return id.length;
        },
        (order, size) => order.item + size,
      ),
    );
    expectTypeOf(inline).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    const priced = orders.pipe(
      joinLookup(priceOf, (order, { price }) => ({ ...order, price }), {
        key(order, record) {
          expectTypeOf(order).toEqualTypeOf<Order>();
          expectTypeOf(record.key).toEqualTypeOf<string>();
          return order.item > 0 ? order.item : null;
        },
        cache: { size: 10, ttl: '1m' },
      }),
    );
    expectTypeOf(priced).toEqualTypeOf<Observable<StreamRecord<string, { price: number; item: number }>>>();
  });

  it('may lack the row in a left join', () => {
    orders.pipe(
      joinLookup(
        userOf,
        (_order, user) => {
          expectTypeOf(user).toEqualTypeOf<string | null>();
          return user ?? '';
        },
        { type: 'left' },
      ),
    );
    orders.pipe(
      joinLookup(
        priceOf,
        (_order, row) => {
          expectTypeOf(row).toEqualTypeOf<{ price: number } | null>();
          return 1;
        },
        { type: 'left', key: (order) => order.item },
      ),
    );
  });

  it('refuses a function that takes something else', () => {
    // @ts-expect-error the key is a text
    orders.pipe(joinLookup(priceOf, (order) => order));
    // @ts-expect-error items are numbers
    orders.pipe(joinLookup(userOf, (order) => order, { key: (order: Order) => order.item }));
  });
});
