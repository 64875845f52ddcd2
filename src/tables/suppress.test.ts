import { describe, expect, it } from 'vitest';
import {
  agg,
  json,
  keyBy,
  mapValues,
  nullable,
  session,
  string,
  suppress,
  table,
  through,
  to,
  topic,
  toStream,
  tumbling,
  unlimited,
  windowBy,
} from '../index.ts';
import { shown, thrown } from '../operators/operators.fixtures.ts';
import { TestDriver } from '../testing/index.ts';

const input = topic('input', { key: nullable(string()), value: nullable(json<string>()) });
const rows = table('input', { key: string(), value: json<string>() });
const out = topic('out', { key: string(), value: nullable(json<unknown>()) });
const at = (key: string | null, value: string | null, timestamp: number) => ({ key, value, timestamp });
const calm = (more: object = {}) => rows.pipe(toStream(), suppress({ until: '5ms', store: 'calm', ...more }), to(out));
const ends = (driver: TestDriver, records: readonly ReturnType<typeof at>[]): string[][] =>
  records.map((record) => {
    driver.pipe(input, record);
    return shown(driver.read(out));
  });

describe('suppress for a time', () => {
  it('lets the newest row of a key go on, so long after the first; deletions too (SU-3)', () => {
    const records = [at('a', 'p', 0), at('a', 'q', 3), at('b', 'r', 4), at('b', null, 5), at('c', 's', 10)];
    for (const cacheEntries of [0, 100]) {
      expect(ends(new TestDriver(calm(), { cacheEntries }), records)).toEqual([[], [], [], ['a="q"@3'], ['b=null@5']]);
    }
  });

  it('keeps what waits over a restart, and lets it go when a bounded run closes', () => {
    const driver = new TestDriver(calm());
    driver.pipeAll(input, [at('a', 'p', 0), at('a', 'q', 1)]);
    driver.restart();
    expect([...driver.store('calm-rows').entries()].map(({ value }) => value)).toEqual(['q']);
    driver.end('close');
    expect(shown(driver.read(out))).toEqual(['a="q"@1']);
    expect([...driver.store('calm-rows').entries()]).toEqual([]);
  });

  it('tells of changes what was there before the first that waited', () => {
    const told = rows.pipe(
      toStream(),
      suppress({ until: '5ms', store: 'calm' }),
      mapValues((value, { before }) => [before, value]),
      to(out),
    );
    const driver = new TestDriver(told);
    const records = [at('a', '1', 0), at('b', 'x', 9), at('a', '2', 10), at('a', '3', 11), at('b', 'y', 20)];
    expect(ends(driver, records).flat()).toEqual(['a=[null,"1"]@0', 'b=[null,"y"]@20', 'a=["1","3"]@11']);
  });

  it('lets the first go on early when more would wait, or stops the application (SU-4)', () => {
    const records = [at('a', 'p', 5), at('b', 'q', 3), at('c', 'r', 4), at('a', 's', 6), at('d', 't', 1)];
    const early = new TestDriver(calm({ until: '100ms', maxRecords: 2, full: 'emit' }));
    expect(ends(early, records)).toEqual([[], [], ['b="q"@3'], [], ['d="t"@1']]);
    const narrow = new TestDriver(calm({ until: '100ms', maxBytes: 150, full: 'emit' }));
    const long = 'x'.repeat(80);
    expect(ends(narrow, [at('a', long, 1), at('b', long, 2)])).toEqual([[], [`a="${long}"@1`]]);
    const stops = new TestDriver(calm({ until: '100ms', maxRecords: 2 }), { onRecordError: 'skip' });
    expect(() => ends(stops, records)).toThrow(expect.objectContaining({ code: 'ERR_SUPPRESS_FULL' }));
  });
});

describe('suppress for a time, with a bound', () => {
  it('counts what waits since before a restart (SU-4)', () => {
    const driver = new TestDriver(calm({ until: '100ms', maxRecords: 2, full: 'emit' }));
    expect(ends(driver, [at('a', 'p', 5), at('b', 'q', 3)])).toEqual([[], []]);
    driver.restart();
    expect(ends(driver, [at('c', 'r', 4)])).toEqual([['b="q"@3']]);
  });
});

describe('suppress until windows close', () => {
  it('gives one row for a window or a session, and none for what was merged away (SU-1, SU-2)', () => {
    const ofWindows = input.pipe(
      windowBy(session({ gap: '5ms', grace: '20ms' }), agg.count(), { store: 'sessions', emit: 'updates' }),
      suppress({ until: 'close', store: 'final' }),
      mapValues((n, { window }) => [window.start, window.end, n]),
      to(out),
    );
    const records = [at('a', 'x', 0), at('a', 'x', 8), at('a', 'x', 4), at('b', 'x', 33), at('b', 'x', 34)];
    expect(ends(new TestDriver(ofWindows), records)).toEqual([[], [], [], [], ['a=[0,8,3]@8']]);
  });

  it('is refused without a window that closes, when planned', () => {
    const windows = windowBy(tumbling({ size: '10ms', grace: '0s' }), agg.count(), { store: 'w', emit: 'updates' });
    const final = suppress({ until: 'close', store: 'final' });
    const shuffled = topic('shuffled', { key: string(), value: json<number>() });
    const plan = (pipeline: ConstructorParameters<typeof TestDriver>[0]): string =>
      thrown(() => new TestDriver(pipeline)).code;
    const never = windowBy(unlimited({ start: 0 }), agg.count(), { store: 'w', emit: 'updates' });
    expect(plan(input.pipe(never, final as never, to(out)))).toBe('ERR_NO_WINDOW');
    const lost = input.pipe(
      windows,
      keyBy((n) => `${n}`),
      through(shuffled),
    );
    expect(plan(lost.pipe(final as never, to(out)))).toBe('ERR_NO_WINDOW');
  });

  it('refuses what cannot be meant', () => {
    const code = (given: object): string => thrown(() => suppress({ store: 's', ...given } as never)).code;
    expect(code({ until: 'close', full: 'emit' })).toBe('ERR_OPTION');
    expect(code({ until: '5' })).toBe('ERR_DURATION');
    expect(code({ until: '5s', maxRecords: 0 })).toBe('ERR_OPTION');
    expect(code({ until: '5s', store: undefined })).toBe('ERR_STORE_NAME');
    const versions = table('versions', { key: string(), value: json<string>(), history: '1h' });
    expect(thrown(() => versions.pipe(toStream(), suppress({ until: '5s', store: 's' }))).code).toBe('ERR_OPTION');
  });
});
