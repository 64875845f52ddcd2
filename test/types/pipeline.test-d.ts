import {
  agg,
  aggregate,
  branch,
  type Change,
  countByKey,
  filterValues,
  flatMapValues,
  float64,
  globalTable,
  joinTable,
  json,
  type KeyChanged,
  keyBy,
  mapAsync,
  mapRecord,
  mapValues,
  type NoKey,
  nullable,
  reduceByKey,
  type StreamRecord,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { filter, map, merge, tap } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

const Click = z.object({ userId: z.string(), url: z.string() });
type Click = z.infer<typeof Click>;
const clicks = topic('clicks', { value: json(Click) });
const clicksByUser = topic('clicks-by-user', { key: string(), value: json(Click) });
const users = table('users', { key: string(), value: json(z.object({ name: z.string() })) });
const report = topic('clicks-per-minute', {
  key: string(),
  value: json(z.object({ name: z.string(), minute: z.int(), clicks: z.int() })),
});
const minute = tumbling({ size: '1m', grace: '10s' });
const keyed = clicks.pipe(
  keyBy((click) => click.userId),
  through(clicksByUser),
);

describe('the pipeline of the README', () => {
  it('needs no annotation', () => {
    const pipeline = clicks.pipe(
      keyBy((click) => click.userId),
      through(clicksByUser),
      windowBy(tumbling({ size: '1m', grace: '10s' }), { clicks: agg.count() }, { store: 'clicks-per-minute' }),
      joinTable(users, ({ clicks }, user, { window }) => ({ name: user.name, minute: window.start, clicks })),
      to(report),
    );
    expectTypeOf(pipeline).toEqualTypeOf<
      Observable<WindowedRecord<string, { name: string; minute: number; clicks: number }>>
    >();
  });

  it('infers through stateless operators, plain RxJS operators and merges', () => {
    const out = keyed.pipe(
      filter((record) => record.value.url !== '/'),
      tap((record) => record.offset),
      mapValues((click, record) => ({ path: click.url, at: record.timestamp })),
      filterValues(({ path }) => path.length > 1),
      flatMapValues(({ path }) => path.split('/')),
    );
    expectTypeOf(out).toEqualTypeOf<Observable<StreamRecord<string, string>>>();
    const both = merge(keyed, keyed).pipe(countByKey({ store: 'both' }));
    expectTypeOf(both).toEqualTypeOf<Observable<Change<string, number, never>>>();
    const mapped = keyed.pipe(map((record) => ({ ...record, value: 1 })));
    mapped.pipe(reduceByKey((left, right) => left + right, { store: 'mapped' }));
  });

  it('tells what keys and values become', () => {
    expectTypeOf(clicks.pipe(keyBy((click) => click.userId))).toEqualTypeOf<
      Observable<StreamRecord<string, Click, KeyChanged>>
    >();
    expectTypeOf(keyed.pipe(mapRecord(({ value }) => ({ key: 1, value: value.url })))).toEqualTypeOf<
      Observable<StreamRecord<number, string, KeyChanged>>
    >();
    expectTypeOf(keyed.pipe(mapAsync(async (click) => click.url.length))).toEqualTypeOf<
      Observable<StreamRecord<string, number>>
    >();
    expectTypeOf(keyed.pipe(aggregate(agg.count(), { store: 's' }))).toEqualTypeOf<
      Observable<Change<string, number, never>>
    >();
    const totals = keyed.pipe(aggregate({ n: agg.count(), longest: agg.max((c) => c.url.length) }, { store: 's' }));
    expectTypeOf(totals).toEqualTypeOf<
      Observable<Change<string, { readonly n: number; readonly longest: number }, never>>
    >();
    const { paid, rest } = branch(keyed, { paid: ({ value }) => value.url === '/pay' }, 'rest');
    expectTypeOf(paid).toEqualTypeOf(rest);
    expectTypeOf(paid).toEqualTypeOf<Observable<StreamRecord<string, Click>>>();
  });

  it('joins global tables by a key of their own, wherever the record lies', () => {
    const pages = globalTable('pages', { key: float64(), value: json(z.object({ title: z.string() })) });
    const titled = clicks.pipe(
      keyBy((click) => click.userId),
      joinTable(pages, (click, page) => `${click.url} ${page.title}`, { key: (click) => click.url.length }),
    );
    expectTypeOf(titled).toEqualTypeOf<Observable<StreamRecord<string, string, KeyChanged>>>();
    const key = (click: Click): number | null => (click.url === '' ? null : 1);
    const padded = clicks.pipe(joinTable(pages, (_, page) => page?.title ?? null, { type: 'left', key }));
    expectTypeOf(padded).toEqualTypeOf<Observable<StreamRecord<null, string | null, NoKey>>>();
    // @ts-expect-error a key of another type than the table's
    clicks.pipe(joinTable(pages, (click) => click, { key: (click) => click.url }));
    // @ts-expect-error a global table has no key in common with the stream
    keyed.pipe(joinTable(pages, (click) => click));
  });

  it('follows null where a serde allows it', () => {
    const maybe = topic('maybe', { key: nullable(string()), value: nullable(json(Click)) });
    const counted = maybe.pipe(windowBy(minute, { longest: agg.max((c) => c.url.length) }, { store: 's' }));
    expectTypeOf(counted).toEqualTypeOf<Observable<WindowedRecord<string, { readonly longest: number }>>>();
    const joined = maybe.pipe(joinTable(users, (click, user) => `${click.url} ${user?.name}`, { type: 'left' }));
    expectTypeOf(joined).toEqualTypeOf<Observable<StreamRecord<string | null, string>>>();
    // A shuffle drops records without a key, so its topic need not allow them.
    clicks.pipe(
      keyBy((click) => (click.url === '' ? null : click.userId)),
      through(clicksByUser),
    );
  });
});

describe('mistakes that do not compile', () => {
  const byNumber = topic('by-number', { key: float64(), value: json(Click) });
  const numbers = table('numbers', { key: float64(), value: json(z.object({ name: z.string() })) });
  const wrongValue = topic('wrong', { key: string(), value: json(z.object({ clicks: z.string() })) });
  const counted = { clicks: agg.count() };

  const rekeyed = clicks.pipe(keyBy((c) => c.userId));
  const perMinute = keyed.pipe(windowBy(minute, counted, { store: 's' }));

  it('stateful operators', () => {
    // @ts-expect-error 1 no shuffle between keyBy and a stateful operator
    rekeyed.pipe(windowBy(minute, counted, { store: 's' }));
    // @ts-expect-error 1 the same for a running aggregate
    rekeyed.pipe(countByKey({ store: 's' }));
    // @ts-expect-error 1 the same for a join
    rekeyed.pipe(joinTable(users, (c, u) => ({ c, u })));
    // @ts-expect-error 5 no store name
    keyed.pipe(windowBy(minute, counted, {}));
    // @ts-expect-error 7 no window before windowBy
    keyed.pipe(joinTable(users, (c, u, { window }) => ({ c, u, window })));
  });

  it('stateful operators without a key', () => {
    // @ts-expect-error a topic without keys
    clicks.pipe(windowBy(minute, counted, { store: 's' }));
    // @ts-expect-error the same for a running aggregate, also behind steps that leave the key alone
    clicks.pipe(mapValues((click) => click.url)).pipe(countByKey({ store: 's' }));
    // @ts-expect-error the same for a join
    clicks.pipe(joinTable(users, (c, u) => ({ c, u })));
    // @ts-expect-error one of two streams has no keys
    merge(keyed, clicks).pipe(countByKey({ store: 's' }));
  });

  it('topics and tables', () => {
    // @ts-expect-error 2 shuffle topic with another key type
    rekeyed.pipe(through(byNumber));
    // @ts-expect-error 3 table with another key type
    keyed.pipe(joinTable(numbers, (c, u) => ({ c, u })));
    // @ts-expect-error 4 wrong sink value
    perMinute.pipe(to(wrongValue));
  });

  it('options and fields', () => {
    // @ts-expect-error 6 duration without unit
    tumbling({ size: '60', grace: '10s' });
    // @ts-expect-error grace is required
    tumbling({ size: '60s' });
    // @ts-expect-error 8 unknown field
    clicks.pipe(keyBy((c) => c.user_id));
  });
});
