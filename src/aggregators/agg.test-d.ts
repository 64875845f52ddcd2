import { filter, type Observable, type OperatorFunction } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import type { StreamRecord, WindowedRecord } from '../record.ts';
import type { Serde } from '../serdes/serde.ts';
import { type Aggregated, type Aggregator, agg, type MeanState, type Spec } from './index.ts';

interface Sale {
  readonly price: number;
  readonly item: string;
}

declare function tumbling(options: { readonly size: string }): { readonly sizeMs: number };
declare function windowBy<K, V, S extends Spec<V>>(
  windower: { readonly sizeMs: number },
  spec: S,
  options: { readonly store: string },
): OperatorFunction<StreamRecord<K, V>, WindowedRecord<K, Aggregated<S>>>;
declare function aggregate<K, V, A, R>(
  aggregator: Aggregator<V, A, R>,
  options: { readonly store: string },
): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, R>>;
declare function mapValues<K, V, R>(of: (value: V) => R): OperatorFunction<StreamRecord<K, V>, StreamRecord<K, R>>;
declare const sales: Observable<StreamRecord<string, Sale>>;
declare const serde: Serde<Set<string>>;

describe('inside of pipe', () => {
  it('infers the values of every selector and the type of the result, without an annotation', () => {
    const out = sales.pipe(
      filter((sale) => sale.value.price > 0),
      windowBy(
        tumbling({ size: '1m' }),
        {
          clicks: agg.count(),
          total: agg.sum((v) => v.price),
          low: agg.min((v) => v.price),
          high: agg.max((v) => {
            expectTypeOf(v).toEqualTypeOf<Sale>();
            return v.price;
          }),
          average: agg.mean((v) => v.price),
          dearest: agg.reduce((l, r) => (l.price > r.price ? l : r)),
          items: agg.custom({
            init: () => new Set<string>(),
            add: (seen, v, record) => {
              expectTypeOf(seen).toEqualTypeOf<Set<string>>();
              expectTypeOf(v).toEqualTypeOf<Sale>();
              expectTypeOf(record).toEqualTypeOf<StreamRecord<unknown, Sale>>();
              return new Set([...seen, v.item]);
            },
            result: (seen) => seen.size > 1,
            state: serde,
          }),
          plain: agg.custom({ init: () => 0, add: (n, v) => n + v.item.length }),
        },
        { store: 's' },
      ),
      mapValues(({ clicks, total, dearest }) => ({ clicks, total, item: dearest.item })),
    );
    expectTypeOf(out).toEqualTypeOf<
      Observable<StreamRecord<string, { clicks: number; total: number; item: string }>>
    >();
    const windowed = sales.pipe(
      windowBy(
        tumbling({ size: '1m' }),
        {
          dearest: agg.reduce((l, r) => (l.price > r.price ? l : r)),
          plain: agg.custom({ init: () => '', add: (n, v) => n + v.item }),
          many: agg.custom({ init: () => 0, add: (n, v) => n + v.price, result: (n) => n > 3 }),
        },
        { store: 's' },
      ),
    );
    expectTypeOf(windowed).toEqualTypeOf<
      Observable<WindowedRecord<string, { readonly dearest: Sale; readonly plain: string; readonly many: boolean }>>
    >();
  });

  it('infers for a single aggregator too', () => {
    const total = sales.pipe(
      aggregate(
        agg.sum((v) => v.price),
        { store: 's' },
      ),
    );
    expectTypeOf(total).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    const last = sales.pipe(
      aggregate(
        agg.reduce((_, r) => r),
        { store: 's' },
      ),
    );
    expectTypeOf(last).toEqualTypeOf<Observable<StreamRecord<string, Sale>>>();
    const clicks = sales.pipe(aggregate(agg.count(), { store: 's' }));
    expectTypeOf(clicks).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
  });

  it('takes a spec that was written before, with counts alone or with annotated selectors', () => {
    const counted = { clicks: agg.count() };
    const out = sales.pipe(windowBy(tumbling({ size: '1m' }), counted, { store: 's' }));
    expectTypeOf(out).toEqualTypeOf<Observable<WindowedRecord<string, { readonly clicks: number }>>>();
    const totals = { total: agg.sum((v: Sale) => v.price) };
    const sums = sales.pipe(windowBy(tumbling({ size: '1m' }), totals, { store: 's' }));
    expectTypeOf(sums).toEqualTypeOf<Observable<WindowedRecord<string, { readonly total: number }>>>();
  });

  it('refuses', () => {
    const minute = tumbling({ size: '1m' });
    // @ts-expect-error unknown field of the value
    sales.pipe(windowBy(minute, { total: agg.sum((v) => v.cost) }, { store: 's' }));
    // @ts-expect-error a selector that gives no number
    sales.pipe(windowBy(minute, { total: agg.sum((v) => v.item) }, { store: 's' }));
    // @ts-expect-error a forgotten call
    sales.pipe(windowBy(minute, { clicks: agg.count }, { store: 's' }));
    const counted = windowBy<string, Sale, { clicks: Aggregator<unknown, number> }>(
      minute,
      { clicks: agg.count() },
      { store: 's' },
    );
    sales.pipe(
      counted,
      // @ts-expect-error an unknown result
      mapValues(({ click }) => String(click)),
    );
    // @ts-expect-error a state that its serde cannot write
    agg.custom({ init: () => 0, add: (n: number) => n, state: serde });
  });
});

it('computes value types from specs', () => {
  expectTypeOf<
    Aggregated<{ a: Aggregator<Sale, MeanState, number>; b: Aggregator<unknown, bigint, string> }>
  >().toEqualTypeOf<{
    readonly a: number;
    readonly b: string;
  }>();
  expectTypeOf(agg.mean((v: Sale) => v.price)).toEqualTypeOf<Aggregator<Sale, MeanState, number>>();
});
