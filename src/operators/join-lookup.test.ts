import { describe, expect, it } from 'vitest';
import { joinLookup, to } from '../index.ts';
import { TestDriver, type TestDriverOptions } from '../testing/index.ts';
import { LookupCache } from './lookup-cache.ts';
import { dead, input, keyed, output, thrown } from './operators.fixtures.ts';

/** A system outside that a test answers by hand. */
class Outside {
  readonly asked: unknown[] = [];
  readonly aborted: unknown[] = [];
  readonly #open = new Map<unknown, { resolve(row: string | null): void; reject(error: unknown): void }[]>();

  readonly ask = (id: unknown, { signal }: { readonly signal: AbortSignal }): Promise<string | null> => {
    this.asked.push(id);
    signal.addEventListener('abort', () => this.aborted.push(id));
    return new Promise((resolve, reject) => {
      this.#open.set(id, [...(this.#open.get(id) ?? []), { resolve, reject }]);
    });
  };

  answer(id: unknown, row: string | null = `row ${String(id)}`): void {
    this.#open.get(id)?.shift()?.resolve(row);
  }

  fail(id: unknown): void {
    this.#open.get(id)?.shift()?.reject(new Error('away'));
  }
}

const pair = (value: number, row: string | null): string => `${value} ${row}`;
const byValue = { key: (value: number) => value % 10 } as const;
const cache = { size: 10, ttl: '1m' } as const;

function looked(options: object = {}, driverOptions: TestDriverOptions = {}) {
  const outside = new Outside();
  const join = joinLookup(outside.ask, pair as never, { ...byValue, ...options } as never);
  const driver = new TestDriver(input.pipe(join as never, to(output)), driverOptions);
  const send = (key: string | null, ...values: (number | null)[]): void => {
    for (const value of values) driver.pipe(input, { key, value, timestamp: 0 });
  };
  /** Lets what was answered take effect. */
  const step = async (): Promise<string[]> => {
    for (let tick = 0; tick < 30; tick += 1) await Promise.resolve();
    driver.advanceTime('0ms');
    return driver.read(output).map(({ key, value }) => `${key}: ${String(value)}`);
  };
  return { driver, outside, send, step };
}

describe('joinLookup', () => {
  it('never takes the answer for one thing as that for another, whatever is asked for', async () => {
    const key = (text: string) =>
      new (class Key {
        readonly #text = text;
        toString = (): string => this.#text;
      })();
    const ids: readonly unknown[] = [
      new Map([['a', 1]]),
      new Map([['b', 2]]),
      new Set([1]),
      new Set([2]),
      /a/,
      /b/,
      { at: Number.NaN },
      { at: null },
      { at: new Date(0) },
      { at: '1970-01-01T00:00:00.000Z' },
      { of: new Map([['a', 1]]) },
      { of: new Map([['b', 2]]) },
      key('a'),
      key('b'),
      [1n],
      ['1n'],
      '1n',
    ];
    const asked: number[] = [];
    const ask = async (id: unknown): Promise<string> => {
      asked.push(ids.indexOf(id));
      return String(ids.indexOf(id));
    };
    const options = { key: (value: number) => ids[value], cache: { size: 100, ttl: '1m' } };
    const join = joinLookup(ask, pair as never, options as never);
    const driver = new TestDriver(input.pipe(join as never, to(output)));
    const all = ids.map((_, at) => at);
    for (let round = 0; round < 2; round += 1) {
      for (const value of all) driver.pipe(input, { key: 'a', value, timestamp: 0 });
      await driver.settled();
      expect(driver.read(output).map(({ value }) => value)).toEqual(all.map((at) => `${at} ${at}`));
    }
    expect(asked, 'once').toEqual(all);
  });

  it('asks once for what several want, and not for what is known', async () => {
    const { driver, outside, send, step } = looked({ cache });
    send('a', 1);
    send('b', 11);
    send('c', 2);
    expect(outside.asked).toEqual([1, 2]);
    outside.answer(1);
    outside.answer(2);
    expect(await step()).toEqual(['a: 1 row 1', 'b: 11 row 1', 'c: 2 row 2']);
    send('d', 21);
    expect(await step()).toEqual(['d: 21 row 1']);
    driver.advanceTime('61s');
    send('d', 31);
    expect(outside.asked).toEqual([1, 2, 1]);
    driver.restart();
    expect(outside.aborted.at(-1)).toBe(1);
    expect(outside.asked).toEqual([1, 2, 1, 1]);
  });

  it('keeps the order of a key, also where the second is known', async () => {
    const { outside, send, step } = looked({ cache });
    send('x', 1);
    outside.answer(1);
    await step();
    send('a', 2, 1);
    send('b', 11);
    send(null, 21);
    await step();
    outside.answer(2);
    expect(await step()).toEqual(['b: 11 row 1', 'null: 21 row 1', 'a: 2 row 2', 'a: 1 row 1']);
  });

  it('remembers that there is no row for its own time, and gives nothing or null', async () => {
    const missing = { ...cache, missingTtl: '10s' } as const;
    const inner = looked({ cache: missing });
    const left = looked({ cache: missing, type: 'left' });
    for (const { driver, outside, send, step } of [inner, left]) {
      send('a', 1);
      outside.answer(1, null);
      expect(await step()).toEqual(driver === left.driver ? ['a: 1 null'] : []);
      send('b', 11);
      expect(outside.asked).toEqual([1]);
      driver.advanceTime('10s');
      send('b', 21);
      expect(outside.asked).toEqual([1, 1]);
    }
    const never = looked({ cache: { ...cache, missingTtl: '0s' } });
    never.send('a', 1);
    never.outside.answer(1, null);
    await never.step();
    never.send('a', 1);
    expect(never.outside.asked).toEqual([1, 1]);
  });

  it('drops null values; without anything to ask for a record is dropped or combined with null', async () => {
    const nothing = { key: () => null };
    const inner = looked(nothing);
    inner.send('a', null, 1);
    expect(inner.driver.tasks()[0]).toMatchObject({ dropped: 2 });
    const left = looked({ type: 'left', key: (value: number) => (value === 1 ? 1 : null) });
    left.send('a', null, 1, 2);
    left.send('b', 3);
    left.outside.answer(1);
    expect(await left.step()).toEqual(['b: 3 null', 'a: 1 row 1', 'a: 2 null']);
    expect(left.driver.tasks()[0]).toMatchObject({ dropped: 1 });
  });

  it('gives failures to the record policy, and does not remember them', async () => {
    const { driver, outside, send, step } = looked({ cache, timeout: '1s' }, { onRecordError: { deadLetter: 'dead' } });
    send('a', 1);
    outside.fail(1);
    expect(await step()).toEqual([]);
    send('a', 2);
    driver.advanceTime('1s');
    await driver.settled();
    expect(await step()).toEqual([]);
    expect(outside.aborted).toEqual([2]);
    expect(driver.read(dead).map(({ value }) => value)).toEqual([1, 2]);
    send('a', 1, 2);
    expect(outside.asked).toEqual([1, 2, 1]);
    outside.answer(1);
    await step();
    // What nobody answered is asked again.
    expect(outside.asked).toEqual([1, 2, 1, 2]);
  });

  it('tries again as often as it is told, and puts aside what cannot be combined', async () => {
    const outside = new Outside();
    const fussy = (value: number, row: string): string => {
      if (value === 3) throw new Error('refused');
      return `${value} ${row}`;
    };
    const options = { retries: 1, backoff: '1s', cache, key: () => 'all' } as const;
    const driver = new TestDriver(keyed.pipe(joinLookup(outside.ask as never, fussy, options), to(output)), {
      onRecordError: { deadLetter: 'dead' },
    });
    for (const value of [1, 3, 5]) driver.pipe(keyed, { key: `${value}`, value, timestamp: 0 });
    outside.fail('all');
    for (let tick = 0; tick < 30; tick += 1) await Promise.resolve();
    driver.advanceTime('1s');
    for (let tick = 0; tick < 30; tick += 1) await Promise.resolve();
    outside.answer('all');
    await driver.settled();
    expect(driver.read(output).map(({ value }) => value)).toEqual(['1 row all', '5 row all']);
    driver.pipe(keyed, { key: '3', value: 3, timestamp: 0 });
    expect(driver.read(dead).map(({ value }) => value)).toEqual([3, 3]);
  });

  it('holds back a task that waits for enough of them', () => {
    const { outside, send } = looked({ concurrency: 2 });
    for (const key of ['a', 'b', 'c', 'd']) send(key, key.charCodeAt(0));
    expect(outside.asked).toHaveLength(2);
  });

  it('checks its options', () => {
    const wrong = (options: object): string =>
      thrown(() => joinLookup(async () => 1, pair as never, options as never)).code;
    expect(wrong({ cache: { ttl: '1m' } })).toBe('ERR_OPTION');
    expect(wrong({ cache: { size: 1, ttl: 'soon' } })).toBe('ERR_DURATION');
    expect(wrong({ concurrency: 0 })).toBe('ERR_OPTION');
    expect(wrong({ type: 'outer' })).toBe('ERR_OPTION');
    expect(wrong({ key: async () => 1 })).toBe('ERR_ASYNC_FUNCTION');
    expect(wrong({ grace: '1m' })).toBe('ERR_OPTION');
    expect(thrown(() => joinLookup('users' as never, pair as never)).code).toBe('ERR_OPTION');
    expect(thrown(() => joinLookup(async () => 1, (async () => 1) as never)).code).toBe('ERR_ASYNC_FUNCTION');
  });
});

describe('LookupCache', () => {
  it('forgets what was used longest ago', () => {
    const known = new LookupCache<string>(2, 100, 50);
    known.set('a', 'A', 0);
    known.set('b', 'B', 0);
    expect(known.get('a', 1)).toBe('A');
    known.set('c', null, 1);
    expect([known.get('a', 2), known.get('b', 2), known.get('c', 2)]).toEqual(['A', undefined, null]);
    expect([known.get('a', 99), known.get('a', 100), known.get('c', 51)]).toEqual(['A', undefined, undefined]);
  });
});
