import {
  agg,
  branch,
  filterValues,
  flatMapRecord,
  flatMapValues,
  json,
  keyBy,
  mapAsync,
  mapRecord,
  mapTimestamp,
  mapValues,
  session,
  sliding,
  string,
  to,
  topic,
  tumbling,
  unlimited,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

const source = topic('source', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json() });
const counts = source.pipe(windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 's' }));

describe('what follows windowBy', () => {
  it('sees the window of the record', () => {
    counts.pipe(mapRecord(({ value, window }) => ({ key: `${window.start}`, value })));
    counts.pipe(flatMapRecord(({ value, window }) => [{ key: `${window.start}`, value }]));
    counts.pipe(keyBy((n, { window }) => `${window.start}${n.toFixed()}`));
    counts.pipe(mapValues((n, { window }) => window.start + n));
    counts.pipe(filterValues((n, { window }) => window.start > n));
    counts.pipe(flatMapValues((n, { window }) => [window.start, n]));
    counts.pipe(mapAsync(async (n, { record }) => record.window.start + n));
    counts.pipe(to(out, { timestamp: ({ window }) => window.start }));
    const { first } = branch(counts, { first: ({ window }) => window.start === 0 });
    expectTypeOf(first).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
    const moved = counts.pipe(mapTimestamp((n, { window }) => window.start + n));
    expectTypeOf(moved).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
  });
});

describe('rows of windows', () => {
  const total = agg.sum((n: number) => n);

  it('are null where sessions become part of others, and only there', () => {
    const gap = session({ gap: '1m', grace: '0s' });
    const closed = source.pipe(windowBy(gap, total, { store: 's' }));
    expectTypeOf(closed).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
    const updated = source.pipe(windowBy(gap, total, { store: 's', emit: 'updates' }));
    expectTypeOf(updated).toEqualTypeOf<Observable<WindowedRecord<string, number | null>>>();
    const often = source.pipe(windowBy(gap, { total }, { store: 's', emit: { every: '1m' } }));
    expectTypeOf(often).toEqualTypeOf<Observable<WindowedRecord<string, { readonly total: number } | null>>>();
    const slid = source.pipe(
      windowBy(
        sliding({ difference: '1m', grace: '0s' }),
        agg.max((n) => n),
        { store: 's', emit: 'updates' },
      ),
    );
    expectTypeOf(slid).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
    const all = source.pipe(windowBy(unlimited(), total, { store: 's', emit: { every: '1h' } }));
    expectTypeOf(all).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
  });

  it('are emitted in known ways', () => {
    // @ts-expect-error not a way to emit
    source.pipe(windowBy(unlimited(), total, { store: 's', emit: 'final' }));
    // @ts-expect-error a duration has a unit
    source.pipe(windowBy(unlimited(), total, { store: 's', emit: { every: 60 } }));
    // @ts-expect-error a gap is required
    session({ grace: '0s' });
  });
});
