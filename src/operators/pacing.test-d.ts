import {
  agg,
  batch,
  debounceByKey,
  dedupe,
  json,
  keyBy,
  type LateRecord,
  nullable,
  type StreamRecord,
  string,
  throttleByKey,
  to,
  topic,
  tumbling,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import type { Observable } from 'rxjs';
import { describe, expectTypeOf, it } from 'vitest';

interface Click {
  readonly id: string;
}
const clicks = topic('clicks', { key: string(), value: json<Click>() });
const loose = topic('loose', { key: nullable(string()), value: nullable(json<Click>()) });
const copies = topic('copies', { key: string(), value: json<Click>() });
const options = { store: 's', grace: '0s' } as const;

describe('dedupe, throttleByKey, debounceByKey', () => {
  it('hand on the records of their stream, with keys', () => {
    const once = clicks.pipe(
      dedupe({
        ...options,
        within: '1m',
        by(value, record) {
          expectTypeOf(value).toEqualTypeOf<Click>();
          expectTypeOf(record.key).toEqualTypeOf<string>();
          return value.id;
        },
        duplicates: (records) => records.pipe(to(copies)),
        late(records) {
          expectTypeOf(records).toEqualTypeOf<Observable<LateRecord<string, Click>>>();
          return records.pipe(to(copies));
        },
      }),
    );
    expectTypeOf(once).toEqualTypeOf<Observable<StreamRecord<string, Click>>>();
    expectTypeOf(loose.pipe(throttleByKey('1s', options))).toEqualTypeOf<
      Observable<StreamRecord<string, Click | null>>
    >();
    const counts = clicks.pipe(windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'c' }));
    expectTypeOf(counts.pipe(debounceByKey('1s', options))).toEqualTypeOf<Observable<WindowedRecord<string, number>>>();
  });

  it('refuse a changed key, and a value serde of something else', () => {
    const moved = clicks.pipe(keyBy((click) => click.id));
    // @ts-expect-error the key has changed
    moved.pipe(dedupe({ ...options, within: '1m' }));
    // @ts-expect-error values are clicks
    clicks.pipe(debounceByKey('1s', { ...options, value: json<number>() }));
  });
});

describe('batch', () => {
  it('gives arrays of values without nulls', () => {
    const batches = loose.pipe(batch({ count: 10, within: '1s', store: 's' }));
    expectTypeOf(batches).toEqualTypeOf<Observable<StreamRecord<string, Click[]>>>();
  });
});
