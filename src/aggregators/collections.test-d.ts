import { agg, aggregate, json, string, topic, tumbling, type WindowedRecord, windowBy } from 'millrace';
import type { Observable } from 'rxjs';
import { expectTypeOf, it } from 'vitest';

interface Sale {
  readonly price: number;
  readonly item: string;
}
const sales = topic('sales', { key: string(), value: json<Sale>() });

it('collections and edges infer the values inside of pipe', () => {
  const rows = sales.pipe(
    windowBy(
      tumbling({ size: '1m', grace: '0s' }),
      {
        opened: agg.first((sale) => sale.price),
        closed: agg.last((sale) => sale.price),
        newest: agg.last(),
        some: agg.collect({ limit: 3 }),
        items: agg.distinct((sale) => sale.item),
        top: agg.topK({ k: 3, by: (sale) => sale.price }),
        spread: agg.variance((sale) => sale.price, { of: 'sample' }),
      },
      { store: 's' },
    ),
  );
  expectTypeOf(rows).toEqualTypeOf<
    Observable<
      WindowedRecord<
        string,
        {
          readonly opened: number;
          readonly closed: number;
          readonly newest: Sale;
          readonly some: readonly Sale[];
          readonly items: number;
          readonly top: readonly Sale[];
          readonly spread: number;
        }
      >
    >
  >();
  const newest = sales.pipe(aggregate(agg.last(), { store: 's' }));
  expectTypeOf(newest).toMatchTypeOf<Observable<{ readonly value: Sale }>>();
  const top = sales.pipe(aggregate(agg.topK({ k: 1, by: (sale) => sale.price }), { store: 's' }));
  expectTypeOf(top).toMatchTypeOf<Observable<{ readonly value: readonly Sale[] }>>();
  // @ts-expect-error an object cannot be told apart
  const items = { items: agg.distinct((sale: Sale) => sale) };
  expectTypeOf(items).not.toBeNever();
  // @ts-expect-error a limit is required
  sales.pipe(aggregate(agg.collect({}), { store: 's' }));
});
