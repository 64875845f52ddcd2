import {
  agg,
  type Change,
  json,
  string,
  suppress,
  table,
  topic,
  toStream,
  tumbling,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

const orders = topic('orders', { key: string(), value: json<number>() });
const users = table('users', { key: string(), value: json<string>() });

describe('suppress', () => {
  it('keeps the type of changes', () => {
    const calm = users.pipe(toStream(), suppress({ until: '5s', store: 's' }));
    expectTypeOf(calm).toEqualTypeOf<Observable<Change<string, string>>>();
  });

  it('gives rows of windows without deletions, and needs windows', () => {
    const minute = tumbling({ size: '1m', grace: '0s' });
    const final = orders.pipe(
      windowBy(minute, agg.count(), { store: 'w', emit: 'updates' }),
      suppress({ until: 'close', store: 's' }),
    );
    expectTypeOf(final).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
    // @ts-expect-error there is no window
    orders.pipe(suppress({ until: 'close', store: 's' }));
  });
});
