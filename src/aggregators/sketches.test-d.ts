import { agg, aggregate, type Change, json, session, string, topic, windowBy } from 'millrace';
import type { Observable } from 'rxjs';
import { expectTypeOf, it } from 'vitest';

const calls = topic('calls', { key: string(), value: json<{ ms: number; user: string }>() });

it('sketches infer the value, and name their percentiles', () => {
  const speed = calls.pipe(
    aggregate(
      agg.percentiles((call) => call.ms, [50, 99.9]),
      { store: 's' },
    ),
  );
  expectTypeOf(speed).toEqualTypeOf<
    Observable<Change<string, { readonly p50: number; readonly 'p99.9': number }, never>>
  >();
  const users = calls.pipe(
    windowBy(
      session({ gap: '1m', grace: '0s' }),
      { users: agg.approxDistinct((call) => call.user), speed: agg.percentiles((call) => call.ms, [50]) },
      { store: 's' },
    ),
  );
  expectTypeOf(users).toExtend<Observable<{ value: { users: number; speed: { p50: number } } }>>();
  calls.pipe(
    aggregate(
      // @ts-expect-error an unknown field
      agg.approxDistinct((call) => call.usr),
      { store: 's' },
    ),
  );
  calls.pipe(
    aggregate(
      // @ts-expect-error not a number
      agg.percentiles((call) => call.user, [50]),
      { store: 's' },
    ),
  );
  calls.pipe(
    aggregate(
      // @ts-expect-error not a value that can be told from others
      agg.approxDistinct((call) => call),
      { store: 's' },
    ),
  );
});
