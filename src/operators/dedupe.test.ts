import { describe, expect, it } from 'vitest';
import { dedupe, json, nullable, string, to, topic } from '../index.ts';
import { memoryStores } from '../state/memory-backend.ts';
import { TestDriver, type TestDriverOptions } from '../testing/index.ts';
import { dead, headers, input, output, showLate, shown, texts, thrown } from './operators.fixtures.ts';

const late = topic('late', { key: nullable(string()), value: nullable(json<number>()) });
const twice = topic('twice', { key: string(), value: nullable(json<number>()) });
const options = { within: '10ms', grace: '5ms', store: 'seen' } as const;

const seen = (more: object = {}, driverOptions: TestDriverOptions = {}): TestDriver =>
  new TestDriver(
    input.pipe(
      dedupe({
        ...options,
        late: (records) => records.pipe(to(late)),
        duplicates: (records) => records.pipe(to(twice)),
        ...more,
      }),
      to(output),
    ),
    driverOptions,
  );

describe('dedupe', () => {
  it('counts the distance itself as near, in both directions', () => {
    const driver = seen({ grace: '100ms' });
    for (const timestamp of [20, 30, 31, 10, 9, 41]) driver.pipe(input, { key: 'a', value: 1, timestamp });
    expect(shown(driver.read(output))).toEqual(['a=1@20', 'a=1@31', 'a=1@9']);
    expect(shown(driver.read(twice))).toEqual(['a=1@30', 'a=1@10', 'a=1@41']);
    expect(driver.tasks()[0]).toMatchObject({ late: 0, dropped: 0 });
  });

  it('hands on null values, headers and places, drops null keys, and tells late records', () => {
    const driver = seen();
    driver.pipe(input, { key: 'a', value: null, timestamp: 20, headers: headers(['h', '1']) });
    driver.pipe(input, { key: 'a', value: 5, timestamp: 20 });
    driver.pipe(input, { key: null, value: 5, timestamp: 90 });
    driver.pipe(input, { key: 'b', value: 5, timestamp: 15 });
    driver.pipe(input, { key: 'b', value: 5, timestamp: 14 });
    const [first, ...others] = driver.read(output);
    expect(texts(first?.headers ?? [])).toEqual({ h: '1' });
    expect(shown([first as never, ...others])).toEqual(['a=null@20', 'b=5@15']);
    expect(shown(driver.read(late))).toEqual(['b=5@14']);
    expect(driver.late.map(showLate)).toEqual(['b@14 missed [4,24)']);
    expect(driver.tasks()[0]).toMatchObject({ late: 1, dropped: 1 });
  });

  it('compares parts, and lets a record without one pass', () => {
    const driver = seen({ by: (value: number | null) => value, grace: '0ms' });
    driver.pipeAll(
      input,
      [1, 2, 1, null, null].map((value) => ({ key: 'a', value, timestamp: 0 })),
    );
    driver.pipe(input, { key: 'b', value: 1, timestamp: 0 });
    expect(shown(driver.read(output))).toEqual(['a=1@0', 'a=2@0', 'a=null@0', 'a=null@0', 'b=1@0']);
  });

  it('forgets when nothing can come any more', () => {
    const driver = seen();
    driver.pipe(input, { key: 'a', value: 1, timestamp: 0 });
    expect([...driver.store('seen-open').entries()]).toEqual([
      { key: 'a', value: [{ start: 0, end: 0 }], timestamp: 0 },
    ]);
    driver.pipe(input, { key: 'b', value: 1, timestamp: 15 });
    expect([...driver.store('seen-open').entries()]).toHaveLength(2);
    driver.pipe(input, { key: 'b', value: 1, timestamp: 16 });
    expect([...driver.store('seen-open').entries()].map(({ key }) => key)).toEqual(['b']);
  });

  it('takes other lengths later, for what it remembers too', () => {
    const stores = memoryStores();
    const before = seen({}, { stores });
    before.pipe(input, { key: 'a', value: 1, timestamp: 0 });
    const longer = seen({ within: '30ms' }, { stores });
    longer.pipe(input, { key: 'a', value: 2, timestamp: 30 });
    expect(longer.read(output)).toEqual([]);
    const shorter = seen({ within: '1ms' }, { stores });
    shorter.pipe(input, { key: 'a', value: 3, timestamp: 90 });
    shorter.pipe(input, { key: 'a', value: 4, timestamp: 99 });
    expect(shown(shorter.read(output))).toEqual(['a=3@90', 'a=4@99']);
    expect([...shorter.store('seen-open').entries()].flatMap(({ value }) => value)).toHaveLength(1);
  });

  it('refuses other state, and gives what fails in `by` to the record policy', () => {
    const stores = memoryStores();
    seen({}, { stores }).pipe(input, { key: 'a', value: 1, timestamp: 0 });
    const by = (value: number | null): unknown => {
      if (value === 2) throw new Error('no');
      return value;
    };
    expect(thrown(() => seen({ by }, { stores })).code).toBe('ERR_STORE_INCOMPATIBLE');
    const driver = seen({ by }, { onRecordError: { deadLetter: 'dead' } });
    driver.pipeAll(
      input,
      [1, 2, 3].map((value) => ({ key: 'a', value, timestamp: 50 * value })),
    );
    expect(shown(driver.read(output))).toEqual(['a=1@50', 'a=3@150']);
    expect(driver.read(dead)).toHaveLength(1);
  });

  it('checks its options', () => {
    expect(thrown(() => dedupe({ ...options, store: '' })).code).toBe('ERR_STORE_NAME');
    expect(thrown(() => dedupe({ ...options, within: '10' as '10s' })).code).toBe('ERR_DURATION');
    expect(thrown(() => dedupe({ ...options, by: 'id' as never })).code).toBe('ERR_OPTION');
    expect(thrown(() => dedupe({ ...options, by: async () => 1 })).code).toBe('ERR_ASYNC_FUNCTION');
    expect(thrown(() => dedupe({ ...options, key: 1 } as never)).code).toBe('ERR_OPTION');
  });
});
