import {
  agg,
  filterValues,
  json,
  keyBy,
  keyValue,
  mapValues,
  nullable,
  output,
  process,
  processAll,
  type Serde,
  type StreamRecord,
  string,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import type { Observable, ObservedValueOf, OperatorFunction } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

interface Reading {
  readonly celsius: number;
}
interface Alert {
  readonly since: number;
}
const readings = topic('readings', { key: string(), value: json<Reading>() });
const alerts = topic('alerts', { key: string(), value: json<Alert>() });
const late = topic('late', { key: string(), value: json<Reading>() });

describe('process', () => {
  it('needs no annotation', () => {
    const rows = readings.pipe(
      process({
        name: 'silence',
        stores: {
          last: keyValue('last', { value: json<number>() }),
          byHour: keyValue('by-hour', { key: json<[string, number]>(), value: json<Reading>() }),
        },
        timers: { silence: 'wall-clock', tick: { every: '10s', of: 'stream-time' } },
        emits: output<Alert>(),
        outputs: { late: output<Reading>() },
        into: { late: (records) => records.pipe(to(late)) },
        next(record, { drop, emit, key, now, outputs, stores, streamTime, timers }) {
          expectTypeOf(record).toExtend<StreamRecord<string, Reading>>();
          expectTypeOf(key).toEqualTypeOf<string>();
          expectTypeOf([now, streamTime]).toEqualTypeOf<number[]>();
          expectTypeOf(stores.last.get(key)).toEqualTypeOf<number | undefined>();
          stores.byHour.set([key, 1], record.value);
          timers.silence.set(now + 30_000);
          outputs.late(record.value, { timestamp: record.timestamp });
          emit({ since: stores.last.get(key) ?? 0 });
          drop('nothing new');
        },
        due: {
          silence({ key, time }, { emit, stores }) {
            expectTypeOf(key).toEqualTypeOf<string>();
            emit({ since: stores.last.get(key) ?? time });
          },
          tick({ time }, { emit, stores }) {
            for (const [key, since] of stores.last.entries()) if (since < time) emit({ since }, { key });
          },
        },
      }),
      to(alerts),
    );
    expectTypeOf(rows).toEqualTypeOf<Observable<StreamRecord<string, Alert>>>();
  });

  it('emits values as they came unless it tells otherwise', () => {
    const rows = readings.pipe(
      filterValues(({ celsius }) => celsius > 0),
      process({
        name: 'dedupe',
        stores: { seen: keyValue('seen', { value: json<true>() }) },
        next({ value }, { emit, key, stores }) {
          if (stores.seen.has(key)) return;
          stores.seen.set(key, true);
          emit(value);
        },
      }),
      mapValues(({ celsius }) => celsius),
    );
    expectTypeOf(rows).toEqualTypeOf<Observable<StreamRecord<string, number>>>();
    expectTypeOf(readings.pipe(process({ name: 'same', next: ({ value }, { emit }) => emit(value) }))).toEqualTypeOf<
      Observable<StreamRecord<string, Reading>>
    >();
  });

  it('sees no null keys, but null values where there may be some, and windows', () => {
    const source = topic('source', { key: nullable(string()), value: nullable(json<Reading>()) });
    const rows = source.pipe(
      process({
        name: 'nulls',
        next({ key, value }, { emit, key: same }) {
          expectTypeOf(key).toEqualTypeOf<string>();
          expectTypeOf(same).toEqualTypeOf<string>();
          expectTypeOf(value).toEqualTypeOf<Reading | null>();
          emit(value);
        },
      }),
    );
    expectTypeOf(rows).toEqualTypeOf<Observable<StreamRecord<string, Reading | null>>>();
    readings.pipe(
      windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'counts' }),
      process({
        name: 'windows',
        emits: output<string>(),
        next: ({ value, window }, { emit }) => emit(`${value} from ${window.start}`),
      }),
    );
  });

  it('can be written once for all types', () => {
    function debounce<K, V>(
      name: string,
      waitMs: number,
      value: Serde<V>,
    ): OperatorFunction<StreamRecord<K, NonNullable<V>>, StreamRecord<NonNullable<K>, NonNullable<V>>> {
      return process({
        name,
        stores: { last: keyValue(`${name}-last`, { value }) },
        timers: { quiet: 'stream-time' },
        next({ timestamp, value: last }, { key, stores, timers }) {
          stores.last.set(key, last);
          timers.quiet.set(timestamp + waitMs);
        },
        due: {
          quiet({ key }, { emit, stores }) {
            const last = stores.last.get(key);
            if (last !== undefined) emit(last);
          },
        },
      });
    }
    const rows = readings.pipe(debounce('quiet', 5_000, json<Reading>()));
    expectTypeOf(rows).toEqualTypeOf<Observable<StreamRecord<string, Reading>>>();
  });

  it('refuses what cannot be right', () => {
    const rekeyed = readings.pipe(keyBy(({ celsius }) => celsius));
    // @ts-expect-error - key changed: pipe through(topic) before a stateful operator
    rekeyed.pipe(process({ name: 'a', next: ({ value }, { emit }) => emit(value) }));
    // @ts-expect-error - an asynchronous function
    readings.pipe(process({ name: 'b', next: async ({ value }, { emit }) => emit(value) }));
    readings.pipe(
      process({
        name: 'c',
        stores: { last: keyValue('last', { value: json<number>() }) },
        timers: { tick: { every: '10s', of: 'wall-clock' }, close: 'stream-time' },
        emits: output<Alert>(),
        next({ value }, { emit, stores, timers }) {
          // @ts-expect-error - not what it says that it emits
          emit(value);
          // @ts-expect-error - not what the store keeps
          stores.last.set('a', 'text');
          // @ts-expect-error - a key of another type
          stores.last.get(1);
          // @ts-expect-error - an interval sets itself
          timers.tick.set(1);
          // @ts-expect-error - no such store
          stores.first.get('a');
        },
        due: {
          // @ts-expect-error - an interval has no key, so one must be given
          tick: ({ time }, { emit }) => emit({ since: time }),
          close: ({ time }, { emit }) => emit({ since: time }),
        },
      }),
    );
    readings.pipe(
      process({
        name: 'd',
        timers: { close: 'stream-time' },
        next: ({ value }, { emit }) => emit(value),
        // @ts-expect-error - nothing says what is done when `close` is due
        due: {},
      }),
    );
  });
});

describe('processAll', () => {
  it('has a function per stream, in their order, and outputs beside the main one', () => {
    const orders = topic('orders', { key: string(), value: json<{ total: number }>() });
    const payments = topic('payments', { key: string(), value: json<{ paid: number }>() });
    const matched = processAll([orders, payments], {
      name: 'match',
      stores: { open: keyValue('open', { value: json<{ total: number }>() }) },
      timers: { givenUp: 'stream-time' },
      emits: output<{ open: number }>(),
      outputs: { unknown: output<{ paid: number }>() },
      next: [
        ({ value }, { key, stores }) => {
          expectTypeOf(value).toEqualTypeOf<{ total: number }>();
          stores.open.set(key, value);
        },
        ({ value }, { emit, key, outputs, stores }) => {
          const order = stores.open.get(key);
          if (order === undefined) outputs.unknown(value);
          else emit({ open: order.total - value.paid });
        },
      ],
      due: { givenUp: ({ key }, { stores }) => stores.open.delete(key) },
    });
    expectTypeOf<ObservedValueOf<typeof matched>>().toEqualTypeOf<StreamRecord<string, { open: number }>>();
    expectTypeOf(matched.outputs.unknown).toEqualTypeOf<Observable<StreamRecord<string, { paid: number }>>>();
  });
});
