import {
  agg,
  aggregate,
  type Change,
  json,
  nullable,
  string,
  topic,
  tumbling,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

const source = topic('source', { key: nullable(string()), value: nullable(json<number>()) });

describe('nullable keys and values before stateful operators', () => {
  it('leave the key without null', () => {
    const windowed = source.pipe(windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 's' }));
    expectTypeOf(windowed).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
    const running = source.pipe(aggregate({ n: agg.count() }, { store: 's' }));
    expectTypeOf(running).toEqualTypeOf<Observable<Change<string, { readonly n: number }, never>>>();
  });
});
