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
  string,
  to,
  topic,
  tumbling,
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
