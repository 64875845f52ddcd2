import {
  type AggregateOptions,
  agg,
  aggregate,
  asTable,
  type Change,
  cogroup,
  countByKey,
  filterRows,
  filterValues,
  joinRows,
  joinTable,
  json,
  keyBy,
  mapRows,
  mapValues,
  nullable,
  reduceByKey,
  type StreamRecord,
  string,
  type Table,
  table,
  to,
  topic,
  toStream,
  tumbling,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

interface User {
  readonly name: string;
  readonly active: boolean;
}
const users = table('users', { key: string(), value: json<User>() });
const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
const names = topic('names', { key: string(), value: string() });
const byId = table('by-id', { key: json<number>(), value: json<User>() });

describe('tables', () => {
  it('have verbs of their own, which infer everything', () => {
    const active = users.pipe(
      filterRows((user) => user.active),
      mapRows((user, key) => `${key}: ${user.name}`),
    );
    expectTypeOf(active).toEqualTypeOf<Table<string, string>>();
    const stream = active.pipe(toStream());
    expectTypeOf(stream).toEqualTypeOf<Observable<Change<string, string>>>();
    expectTypeOf<Change<string, string>['value']>().toEqualTypeOf<string | null>();
    expectTypeOf<Change<string, string>['before']>().toEqualTypeOf<string | null>();
  });

  it('go on as streams in the same pipe', () => {
    const written = users.pipe(
      filterRows((user) => user.active),
      toStream(),
      mapValues((user, { before }) => `${before?.name} to ${user?.name}`),
      filterValues((text) => text !== ''),
      to(names),
    );
    expectTypeOf(written).toEqualTypeOf<Observable<StreamRecord<string, string>>>();
    users.pipe(
      toStream(),
      // @ts-expect-error a deleted row is null
      mapValues((user) => user.name),
    );
    // @ts-expect-error a verb of streams before toStream
    users.pipe(mapValues((user) => user));
    // @ts-expect-error another value than that of the topic
    users.pipe(toStream(), to(names));
  });

  it('are made of what a filter leaves, where the operator stands inside of a call', () => {
    const paid = asTable(orders.pipe(filterValues(({ total }) => total > 0)), { store: 'paid' });
    expectTypeOf(paid).toEqualTypeOf<Table<string, { total: number }>>();
  });

  it('narrow by a type guard, and leave out rows that become null', () => {
    const values = table('values', { key: string(), value: json<string | number>() });
    const texts = values.pipe(filterRows((value): value is string => typeof value === 'string'));
    expectTypeOf(texts).toEqualTypeOf<Table<string, string>>();
    const some = values.pipe(mapRows((value) => (typeof value === 'string' ? value.length : null)));
    expectTypeOf(some).toEqualTypeOf<Table<string, number>>();
    const kept = users.pipe(mapRows((user) => user.name, { store: 'names', value: string() }));
    expectTypeOf(kept).toEqualTypeOf<Table<string, string>>();
    // @ts-expect-error rows of another type than the serde's
    users.pipe(mapRows((user) => user.active, { store: 'names', value: string() }));
    // @ts-expect-error an unknown field
    users.pipe(filterRows((user) => user.activ));
  });

  it('are joined with streams', () => {
    const joined = orders.pipe(
      joinTable(users.pipe(mapRows((user) => user.name)), (order, name) => `${name} ${order.total}`),
      joinTable(users, (text, user) => `${text} ${user?.active}`, { type: 'left' }),
    );
    expectTypeOf(joined).toEqualTypeOf<Observable<StreamRecord<string, string>>>();
    // @ts-expect-error keys of another type
    orders.pipe(joinTable(byId.pipe(mapRows((user) => user.name)), (order, name) => `${name} ${order.total}`));
  });

  it('are joined with tables, by the type of the join', () => {
    const ages = table('ages', { key: string(), value: json<number>() });
    const inner = users.pipe(joinRows(ages, (user, age) => `${user.name} ${age + 1}`, { store: 's' }));
    expectTypeOf(inner).toEqualTypeOf<Table<string, string>>();
    const left = users.pipe(
      joinRows(ages, (user, age, key) => (age === null ? null : { name: user.name, age, key }), {
        store: 's',
        type: 'left',
      }),
    );
    expectTypeOf(left).toEqualTypeOf<Table<string, { name: string; age: number; key: string }>>();
    const outer = users.pipe(joinRows(ages, (user, age) => [user, age] as const, { store: 's', type: 'outer' }));
    expectTypeOf(outer).toEqualTypeOf<Table<string, readonly [User | null, number | null]>>();
    // @ts-expect-error the right row may be missing
    users.pipe(joinRows(ages, (user, age) => age + user.name.length, { store: 's', type: 'left' }));
    // @ts-expect-error keys of another type
    users.pipe(joinRows(byId, (user, other) => user.name + other.name, { store: 's' }));
    // @ts-expect-error rows are kept in a store
    users.pipe(joinRows(ages, (user, age) => user.name + age, {}));
  });

  it('are joined with tables of other keys', () => {
    const rows = table('rows', { key: string(), value: json<{ user: number | null; n: number }>() });
    const inner = rows.pipe(
      joinRows(byId, (row, user, key) => `${key} ${row.n} ${user.name}`, { store: 's', key: (row) => row.user }),
    );
    expectTypeOf(inner).toEqualTypeOf<Table<string, string>>();
    const left = rows.pipe(
      joinRows(byId, (row, user) => ({ n: row.n, name: user?.name }), {
        store: 's',
        type: 'left',
        key: ({ user }, key) => (key === '' ? null : user),
      }),
    );
    expectTypeOf(left).toEqualTypeOf<Table<string, { n: number; name: string | undefined }>>();
    rows.pipe(
      // @ts-expect-error the right row may be missing
      joinRows(byId, (row, user) => `${row.n} ${user.name}`, { store: 's', type: 'left', key: (row) => row.user }),
    );
    // @ts-expect-error keys of another type than those of the table
    rows.pipe(joinRows(byId, (row, user) => `${row.n} ${user.name}`, { store: 's', key: (row) => `${row.user}` }));
  });

  it('are made of aggregates, and of streams with a store', () => {
    const counts = asTable(orders.pipe(countByKey({ store: 's' })));
    expectTypeOf(counts).toEqualTypeOf<Table<string, number>>();
    const totals = asTable(orders.pipe(aggregate({ total: agg.sum((o) => o.total) }, { store: 's' })));
    expectTypeOf(totals).toEqualTypeOf<Table<string, { readonly total: number }>>();
    const newest = asTable(orders, { store: 'newest' });
    expectTypeOf(newest).toEqualTypeOf<Table<string, { total: number }>>();
    const maybe = topic('maybe', { key: nullable(string()), value: nullable(json<User>()) });
    expectTypeOf(asTable(maybe, { store: 's' })).toEqualTypeOf<Table<string, User>>();
    // @ts-expect-error a stream without a store
    asTable(orders);
    // @ts-expect-error a key that was changed
    asTable(orders.pipe(keyBy((order) => `${order.total}`)), { store: 's' });
  });
});

describe('tombstones of aggregates are in the type', () => {
  const clear = agg.custom({
    init: () => 0,
    add: (sum, order: { total: number }) => (order.total === 0 ? null : sum + order.total),
  });

  it('where the aggregator may delete', () => {
    const sums = orders.pipe(aggregate(clear, { store: 's' }));
    expectTypeOf(sums).toEqualTypeOf<Observable<Change<string, number>>>();
    // @ts-expect-error the row may be deleted
    sums.pipe(mapValues((sum) => sum + 1));
    const checked = sums.pipe(mapValues((sum) => (sum ?? 0) + 1));
    expectTypeOf(checked).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    const last = orders.pipe(
      aggregate(
        agg.reduce((left, right) => (left.total > right.total ? null : right)),
        { store: 's' },
      ),
    );
    expectTypeOf(last).toEqualTypeOf<Observable<Change<string, { total: number }>>>();
    const text = agg.custom({
      init: () => 0,
      add: (n: number, v: number) => (v > 0 ? n : null),
      result: (n) => `${n}`,
    });
    expectTypeOf(
      asTable(topic('n', { key: string(), value: json<number>() }).pipe(aggregate(text, { store: 's' }))),
    ).toEqualTypeOf<Table<string, string>>();
  });

  it('and only there', () => {
    const plus = orders.pipe(
      countByKey({ store: 's' }),
      mapValues((n) => n + 1),
    );
    expectTypeOf(plus).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    const dearest = orders.pipe(
      reduceByKey((left, right) => (left.total > right.total ? left : right), { store: 's' }),
      mapValues((order) => order.total),
    );
    expectTypeOf(dearest).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    const plain = agg.custom({ init: () => 0, add: (sum, order: { total: number }) => sum + order.total });
    expectTypeOf(orders.pipe(aggregate(plain, { store: 's' }))).toEqualTypeOf<
      Observable<Change<string, number, never>>
    >();
  });

  it('where rows have a time to live', () => {
    const counts = orders.pipe(countByKey({ store: 's', ttl: '1h' }));
    expectTypeOf(counts).toEqualTypeOf<Observable<Change<string, number>>>();
    // @ts-expect-error the row may have ended
    counts.pipe(mapValues((n) => n + 1));
    const some = orders.pipe(aggregate({ n: agg.count() }, { store: 's', ttl: '1h' }));
    expectTypeOf(some).toEqualTypeOf<Observable<Change<string, { readonly n: number }>>>();
    const dearest = orders.pipe(reduceByKey((left) => left, { store: 's', ttl: '1h' }));
    expectTypeOf(dearest).toEqualTypeOf<Observable<Change<string, { total: number }>>>();
    expectTypeOf(asTable(counts)).toEqualTypeOf<Table<string, number>>();
    const options: AggregateOptions = { store: 's' };
    // @ts-expect-error options that may have one
    orders.pipe(countByKey(options)).pipe(mapValues((n) => n + 1));
    // @ts-expect-error a duration without a unit
    orders.pipe(countByKey({ store: 's', ttl: '10' }));
    const grouped = cogroup([orders, orders], { store: 's', ttl: '1h', init: () => 0, add: [(n) => n, (n) => n] });
    expectTypeOf(grouped).toEqualTypeOf<Observable<Change<string, number>>>();
  });

  it('of several aggregators only where all of them may', () => {
    expectTypeOf(orders.pipe(aggregate({ clear, n: agg.count() }, { store: 's' }))).toEqualTypeOf<
      Observable<Change<string, { readonly clear: number; readonly n: number }, never>>
    >();
    expectTypeOf(orders.pipe(aggregate({ clear }, { store: 's' }))).toEqualTypeOf<
      Observable<Change<string, { readonly clear: number }>>
    >();
  });

  it('of windows on update, where a row is null until the next record comes', () => {
    const minute = tumbling({ size: '1m', grace: '0s' });
    const closed = orders.pipe(windowBy(minute, clear, { store: 's' }));
    expectTypeOf(closed.pipe(mapValues((sum) => sum + 1))).toExtend<Observable<StreamRecord<string, number>>>();
    const updated = orders.pipe(windowBy(minute, clear, { store: 's', emit: 'updates' }));
    // @ts-expect-error the window's row may be deleted
    updated.pipe(mapValues((sum) => sum + 1));
    const counted = orders.pipe(windowBy(minute, agg.count(), { store: 's', emit: 'updates' }));
    expectTypeOf(counted.pipe(mapValues((n) => n + 1))).toExtend<Observable<StreamRecord<string, number>>>();
  });
});
