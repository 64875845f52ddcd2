import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { agg, json, mapValues, string, to, topic, tumbling, union, windowBy } from '../index.ts';
import { thrown } from '../operators/operators.fixtures.ts';
import { TestDriver } from '../testing/index.ts';

const source = topic('source', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });

describe('a plain operator that emits no records', () => {
  const bare = source.pipe(map(({ key, value }) => ({ key, value }) as never));
  const windowed = windowBy(tumbling({ size: '10ms', grace: '0s' }), agg.count(), { store: 'w' });

  it.each([
    ['a sink', bare.pipe(to(out))],
    ['an operator', bare.pipe(mapValues((n: number) => n))],
    ['a window', bare.pipe(windowed)],
    ['one of several inputs', union(source, bare).pipe(to(out))],
    ['a value', source.pipe(map(({ value }) => value as never)).pipe(to(out))],
    ['nothing', source.pipe(map(() => undefined as never)).pipe(to(out))],
  ])('is blamed itself, and not %s below it', (_what, pipeline) => {
    const driver = new TestDriver(pipeline, { onRecordError: 'skip' });
    const error = thrown(() => driver.pipe(source, { key: 'a', value: 1, timestamp: 5 }));
    expect(error).toMatchObject({ code: 'ERR_NOT_A_RECORD', errorClass: 'config', topic: 'source', offset: 0 });
    expect(error.message).toMatch(
      /the RxJS operator above, at \S+records-only\.test\.ts:\d+:\d+, emitted .* not a record/,
    );
    expect(error.hint).toContain('map((record) => ({ ...record, value }))');
  });

  it('may keep the record, with or without its window', () => {
    const kept = source.pipe(
      windowBy(tumbling({ size: '10ms', grace: '0s' }), agg.count(), { store: 'w' }),
      map((record) => ({ ...record, value: record.value + 1 })),
      to(out),
    );
    const driver = new TestDriver(kept);
    driver.pipe(source, { key: 'a', value: 1, timestamp: 5 });
    driver.pipe(source, { key: 'a', value: 1, timestamp: 50 });
    expect(driver.read(out).map(({ value }) => value)).toEqual([2]);
  });
});
