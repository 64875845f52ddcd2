import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { bytes, filterValues, joinStream, json, mapValues, nullable, string, to, topic } from '../index.ts';
import { memoryStores } from '../state/memory-backend.ts';
import { TestDriver, type TestDriverOptions } from '../testing/index.ts';
import { headers, shown, texts, thrown } from './operators.fixtures.ts';

const left = topic('left', { key: nullable(string()), value: nullable(json<string>()) });
const right = topic('right', { key: nullable(string()), value: nullable(json<string>()) });
const out = topic('out', { key: nullable(string()), value: json<string>() });
const dead = topic('dead', { key: nullable(string()), value: nullable(json<unknown>()) });
const bytesDead = topic('dead', { key: nullable(string()), value: nullable(bytes()) });
const lateLeft = topic('late-left', { key: nullable(string()), value: nullable(json<unknown>()) });
const lateRight = topic('late-right', { key: nullable(string()), value: nullable(json<unknown>()) });

const options = { store: 'join', within: '10ms', grace: '5ms' } as const;
const pair = (l: string | null, r: string | null): string => `${l}+${r}`;
const inner = () => left.pipe(joinStream(right, pair, options), to(out));
const leftJoin = () => left.pipe(joinStream(right, pair, { ...options, type: 'left' }), to(out));
const outer = () =>
  left.pipe(
    joinStream(right, (l, r) => pair(l, r), { ...options, type: 'outer' }),
    to(out),
  );

type Step = readonly [side: 'l' | 'r', key: string | null, value: string | null, timestamp: number];

/** Rows of each step. */
function rowsOf(driver: TestDriver, steps: readonly Step[]): string[][] {
  return steps.map(([side, key, value, timestamp]) => {
    driver.pipe(side === 'l' ? left : right, { key, value, timestamp });
    return shown(driver.read(out));
  });
}

describe('joinStream', () => {
  it('keeps all records of one key and time, and gives partners by time (JS-2)', () => {
    const steps: Step[] = [
      ['l', 'k', 'A', 5],
      ['l', 'k', 'B', 3],
      ['l', 'k', 'C', 5],
      ['r', 'k', 'x', 4],
      ['r', 'k', 'y', 15],
      ['r', 'k', 'z', 16],
    ];
    expect(rowsOf(new TestDriver(inner()), steps).slice(3)).toEqual([
      ['k="B+x"@4', 'k="A+x"@5', 'k="C+x"@5'],
      ['k="A+y"@15', 'k="C+y"@15'],
      [],
    ]);
  });

  it('gives rows without a partner when their own window and grace are over, and not before (JS-5, JS-6)', () => {
    const steps: Step[] = [
      ['l', 'k', 'K', 0],
      ['l', 'm', 'M', 3],
      ['l', 'n', 'N', 4],
      ['r', 'o', 'x', 15],
      ['r', 'o', 'x', 16],
      ['r', 'o', 'x', 18],
      ['r', 'o', 'x', 19],
      ['r', 'o', 'x', 20],
    ];
    const expected = [[], [], [], [], ['k="K+null"@0'], [], ['m="M+null"@3'], ['n="N+null"@4']];
    expect(rowsOf(new TestDriver(leftJoin()), steps)).toEqual(expected);
  });

  it('gives them by time, those of the right side first, then by key; before what the record itself brings', () => {
    const steps: Step[] = [
      ['l', 'k', 'A', 0],
      ['r', 'j', 'b', 0],
      ['l', 'a', 'C', 0],
      ['r', 'a2', 'd', 0],
      ['l', 'k', 'E', 8],
      ['r', 'k', 'x', 16],
    ];
    const last = ['a2="null+d"@0', 'j="null+b"@0', 'a="C+null"@0', 'k="A+null"@0', 'k="E+x"@16'];
    expect(rowsOf(new TestDriver(outer()), steps).at(-1)).toEqual(last);
  });

  it('takes no late record, counts it, and hands it to its side (JS-4)', () => {
    const joined = left.pipe(
      joinStream(right, pair, {
        ...options,
        type: 'left',
        late: {
          left: (records) =>
            records.pipe(
              mapValues((value, { late }) => [value, late.missed]),
              to(lateLeft),
            ),
          right: (records) => records.pipe(to(lateRight)),
        },
      }),
      to(out),
    );
    const driver = new TestDriver(joined);
    const steps: Step[] = [
      ['r', 'o', 'x', 12],
      ['l', 'k', 'A', 0],
      ['r', 'k', 'b', 1],
      ['r', 'o', 'x', 30],
      ['l', 'k', 'L', 14],
      ['r', 'k', 'R', 14],
      ['l', 'k', 'N', 15],
    ];
    const expected = [[], [], ['k="A+b"@1'], [], [], [], []];
    expect(rowsOf(driver, steps)).toEqual(expected);
    expect(shown(driver.read(lateLeft))).toEqual(['k=["L",[{"start":4,"end":24}]]@14']);
    expect(shown(driver.read(lateRight))).toEqual(['k="R"@14']);
    expect(driver.tasks()[0]?.late).toBe(2);
    expect(driver.late[0]?.late).toMatchObject({ step: 'joinStream(join)', streamTime: 30, partial: false });
  });

  it('takes a record that is as new as stream time, also where its partners are older by more than grace', () => {
    const distant = left.pipe(
      joinStream(right, pair, { ...options, within: { before: '-6ms', after: '10ms' }, grace: '0s', type: 'left' }),
      to(out),
    );
    const driver = new TestDriver(distant);
    const steps: Step[] = [
      ['l', 'k', 'A', 0],
      ['r', 'k', 'early', 5],
      ['r', 'k', 'x', 6],
      ['r', 'k', 'y', 10],
      ['r', 'k', 'far', 11],
      ['l', 'k', 'B', 4],
    ];
    expect(rowsOf(driver, steps)).toEqual([[], [], ['k="A+x"@6'], ['k="A+y"@10'], [], ['k="B+y"@10', 'k="B+far"@11']]);
    const back = left.pipe(
      joinStream(right, pair, { ...options, within: { before: '9ms', after: '-4ms' }, grace: '0s', type: 'left' }),
      to(out),
    );
    const backSteps: Step[] = [
      ['r', 'k', 'x', 1],
      ['l', 'k', 'A', 5],
      ['l', 'm', 'B', 6],
    ];
    expect(rowsOf(new TestDriver(back), backSteps)).toEqual([[], ['k="A+x"@5'], ['m="B+null"@6']]);
  });

  it('drops null values, and null keys of a side that has no rows of its own (JS-3, TM-9)', () => {
    const steps: Step[] = [
      ['l', null, 'A', 5],
      ['r', null, 'x', 50],
      ['l', 'k', null, 60],
      ['l', null, null, 70],
      ['l', 'k', 'A', 1],
      ['r', 'k', 'x', 2],
    ];
    const run = (pipeline: Observable<unknown>): unknown => {
      const driver = new TestDriver(pipeline);
      return [rowsOf(driver, steps).flat(), driver.tasks()[0]?.dropped, driver.tasks()[0]?.late];
    };
    expect(run(inner())).toEqual([['k="A+x"@2'], 4, 0]);
    expect(run(leftJoin())).toEqual([['null="A+null"@5', 'k="A+x"@2'], 3, 0]);
    expect(run(outer())).toEqual([['null="A+null"@5', 'null="null+x"@50', 'k="A+x"@2'], 2, 0]);
  });

  it('gives the headers of the record that came last, and none to rows without a partner', () => {
    const driver = new TestDriver(leftJoin());
    driver.pipe(left, { key: 'a', value: 'A', timestamp: 0, headers: headers(['h', 'left']) });
    driver.pipe(left, { key: 'b', value: 'B', timestamp: 0, headers: headers(['h', 'left']) });
    driver.pipe(right, { key: 'a', value: 'x', timestamp: 1, headers: headers(['h', 'right']) });
    driver.pipe(right, { key: 'c', value: 'x', timestamp: 99, headers: headers(['h', 'other']) });
    expect(driver.read(out).map((row) => texts(row.headers))).toEqual([{ h: 'right' }, {}]);
  });

  it('tells the function the key and the times', () => {
    const told = left.pipe(
      joinStream(right, (_l, _r, { key, left: l, right: r }) => `${key} ${l} ${r}`, { ...options, type: 'left' }),
      to(out),
    );
    const steps: Step[] = [
      ['l', 'k', 'A', 5],
      ['r', 'k', 'x', 3],
      ['l', 'm', 'B', 4],
      ['r', 'o', 'x', 99],
    ];
    expect(rowsOf(new TestDriver(told), steps).flat()).toEqual(['k="k 5 3"@5', 'm="m 4 null"@4']);
  });

  it('keeps a row up to the moment after which its last partner would be late', () => {
    const driver = new TestDriver(inner());
    driver.pipe(left, { key: 'k', value: 'A', timestamp: 0 });
    // Every 64th row has others looked at that nobody needs any more. A partner at 10 is not late yet at 25.
    const others = Array.from({ length: 255 }, () => ({ key: 'other', value: 'x', timestamp: 25 }));
    driver.pipeAll(left, others);
    driver.pipe(right, { key: 'k', value: 'last', timestamp: 10 });
    expect(shown(driver.read(out))).toEqual(['k="A+last"@10']);
    driver.pipe(left, { key: 'other', value: 'x', timestamp: 26 });
    driver.pipeAll(left, others);
    const kept = [...driver.store('join-left').entries()];
    expect(kept.filter(({ key }) => key === 'k')).toEqual([]);
  });

  it('removes rows that no partner can come for, and only those', () => {
    const driver = new TestDriver(inner());
    const times = (): number[] => [...driver.store('join-left').entries()].map(({ timestamp }) => timestamp);
    driver.pipeAll(
      left,
      Array.from({ length: 1000 }, (_, at) => ({ key: `k${at % 3}`, value: 'x', timestamp: at })),
    );
    // A partner can come for the last 25 ms; a few of the others are not swept away yet.
    expect(times().filter((time) => time >= 999 - 25)).toHaveLength(26);
    expect(times().length).toBeLessThan(150);
    driver.pipeAll(
      right,
      Array.from({ length: 1000 }, (_, at) => ({ key: `k${at % 3}`, value: 'x', timestamp: 2000 })),
    );
    expect(times()).toEqual([]);
    expect([...driver.store('join-right').entries()]).toHaveLength(1000);
  });

  it('shows what waits for a partner, and lets it go when a bounded run closes windows', () => {
    const driver = new TestDriver(leftJoin());
    driver.pipe(left, { key: 'a', value: 'A', timestamp: 7 });
    driver.restart();
    expect([...driver.store('join').entries()]).toEqual([{ key: 'a', value: 'left', timestamp: 7 }]);
    driver.end('close');
    expect(shown(driver.read(out))).toEqual(['a="A+null"@7']);
  });

  it('joins a stream with what was made of it, the left side first', () => {
    const big = left.pipe(filterValues((value) => value !== 'small'));
    const joined = big.pipe(joinStream(left, pair, { ...options, within: '0s' }), to(out));
    const steps: Step[] = [
      ['l', 'k', 'small', 1],
      ['l', 'k', 'big', 1],
    ];
    expect(rowsOf(new TestDriver(joined), steps)).toEqual([[], ['k="big+small"@1', 'k="big+big"@1']]);
  });
});

describe('joinStream of a stream with itself', () => {
  it('keeps one store, and gives the rows of the join of two copies (JS-8)', () => {
    const joined = left.pipe(joinStream(left, pair, options), to(out));
    const driver = new TestDriver(joined);
    const steps: Step[] = [
      ['l', 'k', 'A', 5],
      ['l', 'k', 'B', 3],
      ['l', 'k', 'C', 5],
    ];
    expect(rowsOf(driver, steps)).toEqual([
      ['k="A+A"@5'],
      ['k="B+A"@5', 'k="B+B"@3', 'k="A+B"@5'],
      ['k="C+B"@5', 'k="C+A"@5', 'k="B+C"@5', 'k="A+C"@5', 'k="C+C"@5'],
    ]);
    expect(driver.tasks()[0]?.stores.map(({ name }) => name)).toEqual(['join', 'join-rows']);
  });

  it('finds what did not follow, with bounds that keep a distance', () => {
    const gaps = left.pipe(
      joinStream(left, (value, next) => `${value}${next === null ? ' was the last' : `, ${next}`}`, {
        store: 'gaps',
        within: { before: '-1ms', after: '10ms' },
        grace: '0s',
        type: 'left',
      }),
      to(out),
    );
    const steps: Step[] = [
      ['l', 'k', 'A', 0],
      ['l', 'k', 'B', 10],
      ['l', 'k', 'C', 30],
    ];
    expect(rowsOf(new TestDriver(gaps), steps)).toEqual([[], ['k="A, B"@10'], ['k="B was the last"@10']]);
  });
});

describe('what fails in joinStream', () => {
  const fussy = (type: 'inner' | 'left') =>
    left.pipe(
      joinStream(
        right,
        (l, r) => {
          if (l === 'bad' || r === 'bad') throw new Error('refused');
          return pair(l, r);
        },
        { ...options, type: type as 'left' },
      ),
      to(out),
    );

  it('is the record that came, of which nothing is left then', () => {
    const driver = new TestDriver(fussy('left'), { onRecordError: 'skip' });
    const steps: Step[] = [
      ['l', 'k', 'A', 0],
      ['r', 'k', 'bad', 90],
      ['r', 'k', 'bad', 1],
      ['r', 'k', 'x', 2],
      ['l', 'k', 'B', 1],
    ];
    // The first `bad` finds no partner: it moves time, and is kept.
    expect(rowsOf(driver, steps)).toEqual([[], ['k="A+null"@0'], [], [], []]);
    const again = new TestDriver(fussy('left'), { onRecordError: 'skip' });
    const inTime: Step[] = [
      ['l', 'k', 'A', 0],
      ['r', 'k', 'bad', 3],
      ['r', 'k', 'x', 2],
      ['r', 'o', 'x', 99],
    ];
    expect(rowsOf(again, inTime)).toEqual([[], [], ['k="A+x"@2'], []]);
    expect(again.tasks()[0]?.skipped).toBe(1);
  });

  it('is the row alone where it had waited: its letter has the value', () => {
    const driver = new TestDriver(fussy('left'), { onRecordError: { deadLetter: 'dead' } });
    const steps: Step[] = [
      ['l', 'a', 'bad', 0],
      ['l', 'b', 'good', 0],
      ['r', 'o', 'x', 99],
    ];
    expect(rowsOf(driver, steps)).toEqual([[], [], ['b="good+null"@0']]);
    const [letter, ...rest] = driver.read(dead);
    expect(rest).toEqual([]);
    expect(letter).toMatchObject({ key: 'a', value: 'bad' });
    expect(texts(letter?.headers ?? [])).toMatchObject({
      'millrace.row.step': 'joinStream(join)',
      'millrace.row.holds': 'state',
    });
  });

  it('is a kept record that its schema does not take any more: those that meet it fail, and its own row goes to a letter', () => {
    const stores = memoryStores();
    const start = (schema: z.ZodType<string>, more: TestDriverOptions = {}): TestDriver =>
      new TestDriver(
        left.pipe(joinStream(right, pair, { ...options, type: 'left', value: { left: json(schema) } }), to(out)),
        { stores, ...more },
      );
    start(z.string()).pipeAll(left, [
      { key: 'a', value: 'long', timestamp: 0 },
      { key: 'b', value: 'ok', timestamp: 0 },
    ]);
    const driver = start(z.string().max(2), { onRecordError: { deadLetter: 'dead' } });
    const steps: Step[] = [
      ['r', 'a', 'x', 1],
      ['r', 'o', 'x', 99],
    ];
    expect(rowsOf(driver, steps)).toEqual([[], ['b="ok+null"@0']]);
    const letters = driver.read(bytesDead).map((letter) => texts(letter.headers));
    expect(letters.map((letter) => letter['millrace.row.holds'])).toEqual([undefined, 'stored']);
    expect(letters.map((letter) => letter['millrace.error.code'])).toEqual(['ERR_VALIDATION', 'ERR_VALIDATION']);
  });

  it('refuses what cannot be meant', () => {
    const join = (given: object): string =>
      thrown(() => joinStream(right, pair as never, { ...options, ...given } as never)).code;
    expect(join({ within: { before: '-3s', after: '2s' } })).toBe('ERR_WINDOW_SIZE');
    expect(join({ within: '-3s' })).toBe('ERR_DURATION');
    expect(join({ within: { before: '1s' } })).toBe('ERR_DURATION');
    expect(join({ grace: undefined })).toBe('ERR_DURATION');
    expect(join({ store: undefined })).toBe('ERR_STORE_NAME');
    expect(join({ type: 'full' })).toBe('ERR_OPTION');
    expect(join({ late: { both: () => left } })).toBe('ERR_OPTION');
    expect(join({ until: '3s' })).toBe('ERR_OPTION');
    expect(thrown(() => joinStream('right' as never, pair as never, options)).code).toBe('ERR_OPTION');
    expect(thrown(() => joinStream(right, undefined as never, options)).code).toBe('ERR_OPTION');
    expect(thrown(() => joinStream(right, (async () => '') as never, options)).code).toBe('ERR_ASYNC_FUNCTION');
  });

  it('lets bounds and grace be changed, and the type: for what comes from then on', () => {
    const stores = memoryStores();
    const start = (given: { readonly within?: '20ms'; readonly grace?: '10ms' } = {}): TestDriver => {
      const wanted = { ...options, ...given, type: 'left' } as const;
      return new TestDriver(left.pipe(joinStream(right, pair, wanted), to(out)), { stores });
    };
    start().pipeAll(left, [
      { key: 'a', value: 'A', timestamp: 0 },
      { key: 'b', value: 'B', timestamp: 1 },
    ]);
    const wider = start({ within: '20ms', grace: '10ms' });
    const steps: Step[] = [
      ['r', 'o', 'x', 20],
      ['r', 'a', 'x', 18],
      ['r', 'o', 'x', 31],
      ['r', 'o', 'x', 32],
    ];
    expect(rowsOf(wider, steps)).toEqual([[], ['a="A+x"@18'], [], ['b="B+null"@1']]);
    wider.pipe(left, { key: 'c', value: 'C', timestamp: 30 });
    expect(rowsOf(new TestDriver(inner(), { stores }), [['r', 'o', 'x', 999]])).toEqual([[]]);
  });
});
