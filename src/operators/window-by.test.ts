import {
  agg,
  branch,
  deadLetter,
  filterValues,
  hopping,
  int32,
  joinTable,
  json,
  mapValues,
  string,
  table,
  to,
  topic,
  tumbling,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memoryStores } from '../state/memory-backend.ts';
import { TIME_KEY } from '../state/step-time.ts';
import { msgpackCodec } from '../state/value-codec.ts';
import { dead, headers, input, keyed, numbers, other, output, showLate, shown, thrown } from './operators.fixtures.ts';

const TEN = tumbling({ size: '10ms', grace: '0s' });
const HOP = hopping({ size: '10ms', advance: '5ms', grace: '0s' });

/** `key[start,end)=value@timestamp` */
const asText = <K>(source: Observable<WindowedRecord<K, unknown>>): Observable<WindowedRecord<K, string>> =>
  source.pipe(
    mapValues(
      (value, { key, timestamp, window }) =>
        `${String(key)}[${window.start},${window.end})=${JSON.stringify(value)}@${timestamp}`,
    ),
  );
const rowsOf = (driver: TestDriver): unknown[] => driver.read(output).map(({ value }) => value);
const at = (timestamp: number, key: string | null = 'a', value: number | null = 1) => ({ key, value, timestamp });

describe('windows that emit on close', () => {
  it('emit once, when stream time reaches end plus grace (TW-3, TW-5, EM-1)', () => {
    const windower = tumbling({ size: '10ms', grace: '5ms' });
    const driver = new TestDriver(keyed.pipe(windowBy(windower, agg.count(), { store: 's' }), asText, to(output)));
    for (const timestamp of [3, 14, 9]) driver.pipe(keyed, at(timestamp));
    expect(rowsOf(driver)).toEqual([]);
    driver.pipe(keyed, at(15));
    expect(rowsOf(driver)).toEqual(['a[0,10)=2@9']);
    driver.pipe(keyed, at(9));
    expect(rowsOf(driver)).toEqual([]);
    expect(driver.late.map(showLate)).toEqual(['a@9 missed [0,10)']);
  });

  it('hold every window that a record jumps over, oldest first, keys in the order of their UTF-8 bytes (EM-2, EM-3)', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(TEN, agg.count(), { store: 's' }), asText, to(output)));
    const names = ['\u{1F600}', '\uFF21', 'é', 'b', 'a', ''];
    driver.pipeAll(keyed, [...names.map((key) => at(5, key)), ...names.map((key) => at(6, key)).slice(3)]);
    driver.pipe(keyed, at(100));
    expect(rowsOf(driver)).toEqual([
      '[0,10)=2@6',
      'a[0,10)=2@6',
      'b[0,10)=2@6',
      'é[0,10)=1@5',
      '\uFF21[0,10)=1@5',
      '\u{1F600}[0,10)=1@5',
    ]);
  });

  it('order numeric keys by their bytes', () => {
    const byNumber = topic('by-number', { key: int32(), value: json<string>() });
    const driver = new TestDriver(numbers.pipe(windowBy(TEN, agg.count(), { store: 's' }), asText, to(byNumber)));
    driver.pipeAll(
      numbers,
      [3, -1, 256, 0].map((key) => ({ key, value: 1, timestamp: 1 })),
    );
    driver.pipe(numbers, { key: 7, value: 1, timestamp: 10 });
    expect(driver.read(byNumber).map(({ value }) => value)).toEqual([
      '0[0,10)=1@1',
      '3[0,10)=1@1',
      '256[0,10)=1@1',
      '-1[0,10)=1@1',
    ]);
  });

  it('close several windows in one step by start, then by key (EM-3)', () => {
    const windower = tumbling({ size: '10ms', grace: '1s' });
    const driver = new TestDriver(keyed.pipe(windowBy(windower, agg.count(), { store: 's' }), asText, to(output)));
    driver.pipeAll(keyed, [at(25, 'a'), at(15, 'b'), at(5, 'c'), at(16, 'a')]);
    driver.pipe(keyed, at(5_000));
    expect(rowsOf(driver)).toEqual(['c[0,10)=1@5', 'a[10,20)=1@16', 'b[10,20)=1@15', 'a[20,30)=1@25']);
  });

  it('carry no headers, for they speak for many records', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(TEN, agg.count(), { store: 's' }), to(output)));
    driver.pipe(keyed, { ...at(1), headers: headers(['h', 'x']) });
    driver.pipe(keyed, { ...at(11), headers: headers(['h', 'y']) });
    expect(driver.read(output)[0]?.headers).toEqual([]);
  });

  it('judge lateness per window (TW-4): hopping 10/5', () => {
    const driver = new TestDriver(
      keyed.pipe(windowBy(HOP, agg.count(), { store: 's', emit: 'updates' }), asText, to(output)),
    );
    driver.pipe(keyed, at(3));
    expect(rowsOf(driver)).toEqual(['a[0,10)=1@3']);
    driver.pipe(keyed, at(10));
    expect(rowsOf(driver)).toEqual(['a[5,15)=1@10', 'a[10,20)=1@10']);
    driver.pipe(keyed, at(6));
    expect(rowsOf(driver)).toEqual(['a[5,15)=2@10']);
    expect(driver.late.map(showLate)).toEqual(['a@6 missed [0,10) partial']);
    expect(driver.tasks()[0]).toMatchObject({ late: 1 });
  });

  it('count (record, window) pairs as late', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(HOP, agg.count(), { store: 's' })));
    driver.pipe(keyed, at(100));
    driver.pipe(keyed, at(7));
    expect(driver.late.map(showLate)).toEqual(['a@7 missed [0,10) [5,15)']);
    expect(driver.tasks()[0]).toMatchObject({ late: 2, dropped: 0 });
  });
});

const anyKey = topic('output', { key: json<unknown>(), value: json<string>() });

describe('nulls (TM-2, TM-9, TM-10)', () => {
  it('are dropped, counted, and move no time', () => {
    const driver = new TestDriver(input.pipe(windowBy(TEN, agg.count(), { store: 's' }), asText, to(anyKey)));
    driver.pipe(input, at(5));
    driver.pipe(input, at(500, null));
    driver.pipe(input, at(500, 'a', null));
    driver.pipe(input, at(6));
    expect([...driver.store('s').entries()]).toMatchObject([{ key: 'a', value: 2, timestamp: 6 }]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 2, late: 0, stores: [{ streamTime: 6 }] });
    driver.pipe(input, at(10));
    expect(rowsOf(driver)).toEqual(['a[0,10)=2@6']);
  });
});

describe('windows that emit updates', () => {
  it('give a row per record with the headers of that record, and none on close', () => {
    const driver = new TestDriver(
      keyed.pipe(
        windowBy(
          TEN,
          agg.sum((n: number) => n),
          { store: 's', emit: 'updates' },
        ),
        asText,
        to(output),
      ),
    );
    driver.pipe(keyed, { ...at(1, 'a', 2), headers: headers(['h', 'x']) });
    const [row] = driver.read(output);
    expect(row?.value).toBe('a[0,10)=2@1');
    expect(row?.headers).toEqual(headers(['h', 'x']));
    driver.pipe(keyed, at(0, 'a', 3));
    expect(rowsOf(driver)).toEqual(['a[0,10)=5@1']);
    driver.pipe(keyed, at(10, 'b', 1));
    expect(rowsOf(driver)).toEqual(['b[10,20)=1@10']);
    driver.end('close');
    expect(rowsOf(driver)).toEqual([]);
  });

  it('refuse any other name', () => {
    // @ts-expect-error there is no such way to emit
    expect(thrown(() => windowBy(TEN, agg.count(), { store: 's', emit: 'final' }))).toMatchObject({
      code: 'ERR_OPTION',
    });
  });
});

describe('an aggregator that returns null (TW-6)', () => {
  const untilNine = agg.custom({
    init: () => 0,
    add: (sum: number, n: number) => (n === 9 ? null : sum + n),
  });

  it('deletes the entry; the next record starts again', () => {
    const driver = new TestDriver(
      keyed.pipe(windowBy(TEN, untilNine, { store: 's', emit: 'updates' }), asText, to(output)),
    );
    for (const [timestamp, value] of [
      [5, 2],
      [7, 3],
      [6, 9],
      [4, 1],
    ] as const)
      driver.pipe(keyed, at(timestamp, 'a', value));
    expect(rowsOf(driver)).toEqual(['a[0,10)=2@5', 'a[0,10)=5@7', 'a[0,10)=null@7', 'a[0,10)=1@4']);
  });

  it('leaves no row on close, also after a restart', () => {
    for (const restart of [false, true]) {
      const driver = new TestDriver(keyed.pipe(windowBy(TEN, untilNine, { store: 's' }), asText, to(output)));
      driver.pipeAll(keyed, [at(1, 'a', 2), at(1, 'b', 2)]);
      driver.pipe(keyed, at(2, 'a', 9));
      if (restart) driver.restart();
      expect([...driver.store('s').entries()]).toMatchObject([{ key: 'b' }]);
      driver.pipe(keyed, at(10, 'c', 1));
      expect(rowsOf(driver)).toEqual(['b[0,10)=2@1']);
    }
  });
});

describe('the window stays with the record', () => {
  const names = table('names', { key: string(), value: json<string>() });

  it('through mapValues, filterValues, flatMap, joinTable, branch and plain map', () => {
    const windowed = keyed.pipe(
      windowBy(TEN, agg.count(), { store: 's' }),
      mapValues((n) => n + 1),
      filterValues((n) => n > 0),
      joinTable(names, (n, name) => `${name}${n}`),
    );
    const { all } = branch(windowed, {}, 'all');
    const driver = new TestDriver(
      all.pipe(
        map((record) => record),
        asText,
        to(output),
      ),
    );
    driver.pipe(topic('names', { key: string(), value: json<string>() }), { key: 'a', value: 'Ada', timestamp: 0 });
    driver.pipe(keyed, at(1));
    driver.pipe(keyed, at(10));
    expect(rowsOf(driver)).toEqual(['a[0,10)="Ada2"@1']);
  });
});

describe('late records', () => {
  it('come as a stream of their own, inside the stage', () => {
    const driver = new TestDriver(
      keyed.pipe(
        windowBy(HOP, agg.count(), {
          store: 's',
          late: (late) =>
            late.pipe(
              mapValues((value, record) => [value, showLate(record), record.late]),
              to(other),
            ),
        }),
        asText,
        to(output),
      ),
    );
    driver.pipeAll(keyed, [at(30, 'a', 1), { ...at(22, 'b', 2), headers: headers(['h', 'x']) }, at(1, 'c', 3)]);
    const items = driver.read(other);
    expect(items.map(({ value }) => (value as unknown[]).slice(0, 2))).toEqual([
      [2, 'b@22 missed [15,25) [20,30)'],
      [3, 'c@1 missed [0,10)'],
    ]);
    expect(items[0]?.headers).toEqual(headers(['h', 'x']));
    expect((items[0]?.value as unknown[] | undefined)?.[2]).toEqual({
      step: 'windowBy(s)',
      streamTime: 30,
      reason: 'window closed',
      missed: [
        { start: 15, end: 25 },
        { start: 20, end: 30 },
      ],
      partial: false,
    });
    driver.restart();
    expect(driver.read(other), 'and are not repeated').toEqual([]);
  });

  it('are partial where another window took them', () => {
    const driver = new TestDriver(
      keyed.pipe(windowBy(HOP, agg.count(), { store: 's', late: (late) => late.pipe(to(other)) }), asText, to(output)),
    );
    driver.pipeAll(keyed, [at(10), at(6)]);
    expect(driver.late.map(showLate)).toEqual(['a@6 missed [0,10) partial']);
    expect(shown(driver.read(other))).toEqual(['a=1@6']);
    expect([...driver.store('s').entries()]).toMatchObject([{ value: 2 }, { value: 1 }]);
  });

  it('stay late after a restart, also when nothing has come since (TM-3)', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(TEN, agg.count(), { store: 's' }), asText, to(output)));
    driver.pipe(keyed, at(25));
    driver.restart();
    driver.pipe(keyed, at(9));
    expect(driver.late.map(showLate)).toEqual(['a@9 missed [0,10)']);
    expect(driver.tasks()[0]?.stores[0]).toMatchObject({ streamTime: 25 });
  });

  it('go to the policy when their branch throws', () => {
    const driver = new TestDriver(
      keyed.pipe(
        windowBy(TEN, agg.count(), {
          store: 's',
          late: (late) =>
            late.pipe(
              mapValues(() => {
                throw new Error('late boom');
              }),
            ),
        }),
      ),
      { onRecordError: deadLetter('dead') },
    );
    driver.pipeAll(keyed, [at(20), at(1)]);
    expect(shown(driver.read(dead))).toEqual(['a=1@0']);
  });
});

describe('the end of a bounded input', () => {
  it('closes every open window in order, once', () => {
    const windower = tumbling({ size: '10ms', grace: '1d' });
    const driver = new TestDriver(keyed.pipe(windowBy(windower, agg.count(), { store: 's' }), asText, to(output)));
    driver.pipeAll(keyed, [at(25, 'b'), at(25, 'a'), at(5, 'c')]);
    driver.end('close');
    expect(rowsOf(driver)).toEqual(['c[0,10)=1@5', 'a[20,30)=1@25', 'b[20,30)=1@25']);
    driver.restart();
    driver.end('close');
    expect(rowsOf(driver)).toEqual([]);
    driver.restart();
    driver.pipe(keyed, at(26, 'd'));
    expect(driver.late.map(showLate)).toEqual(['d@26 missed [20,30)']);
  });

  it('keeps them otherwise', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(TEN, agg.count(), { store: 's' }), asText, to(output)));
    driver.pipe(keyed, at(5));
    driver.end();
    driver.restart();
    driver.pipe(keyed, at(6));
    driver.pipe(keyed, at(10));
    expect(rowsOf(driver)).toEqual(['a[0,10)=2@6']);
  });

  it('closes a window above before the window below, in one stage', () => {
    const HUNDRED = tumbling({ size: '100ms', grace: '0s' });
    const tens = keyed.pipe(windowBy(TEN, agg.count(), { store: 'tens' }));
    const hundreds = tens.pipe(
      windowBy(
        HUNDRED,
        agg.sum((n: number) => n),
        { store: 'hundreds' },
      ),
      asText,
      to(output),
    );
    for (const pipeline of [hundreds, [tens.pipe(to(other)), hundreds], [hundreds, tens.pipe(to(other))]]) {
      const driver = new TestDriver(pipeline);
      driver.pipeAll(keyed, [at(5), at(6), at(15), at(27)]);
      driver.end('close');
      expect(rowsOf(driver)).toEqual(['a[0,100)=4@27']);
      expect(driver.late).toEqual([]);
    }
  });
});

describe('user code of an aggregation that throws', () => {
  it('in add: leaves state, stream time and windows as they were', () => {
    const picky = agg.custom({
      init: () => 0,
      add: (sum: number, n: number, { timestamp }) => {
        if (n === 13 && timestamp >= 10) throw new Error('thirteen');
        return sum + n;
      },
    });
    const driver = new TestDriver(keyed.pipe(windowBy(HOP, picky, { store: 's' }), asText, to(output)), {
      onRecordError: 'skip',
    });
    driver.pipe(keyed, at(3, 'a', 1));
    driver.pipe(keyed, at(900, 'a', 13));
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1, openWindows: 1, stores: [{ streamTime: 3 }] });
    expect([...driver.store('s').entries()]).toMatchObject([{ key: 'a', value: 1 }]);
    driver.end('close');
    driver.restart();
    driver.pipe(keyed, at(30, 'a', 1));
    expect(driver.late, 'a record that was left out moves no time').toEqual([]);
  });

  it('in result: loses that row only, not the other keys or windows that close with it', () => {
    const picky = agg.custom({
      init: () => 0,
      add: (sum: number, n: number) => sum + n,
      result: (sum) => {
        if (sum === 13) throw new Error('thirteen');
        return sum;
      },
    });
    const windower = tumbling({ size: '10ms', grace: '100ms' });
    const driver = new TestDriver(keyed.pipe(windowBy(windower, picky, { store: 's' }), asText, to(output)), {
      onRecordError: 'skip',
    });
    driver.pipeAll(keyed, [at(1, 'a', 1), at(1, 'b', 13), at(1, 'c', 2), at(11, 'a', 13), at(11, 'd', 3)]);
    driver.pipe(keyed, at(500, 'a', 1));
    expect(rowsOf(driver)).toEqual(['a[0,10)=1@1', 'c[0,10)=2@1', 'd[10,20)=3@11']);
    expect(driver.tasks()[0]).toMatchObject({ skipped: 2, openWindows: 1 });
  });
});

describe('options', () => {
  it.each([undefined, '', 'a b', 'a/b', 7])('refuse the store name %s', (store) => {
    expect(thrown(() => windowBy(TEN, agg.count(), { store: store as string }))).toMatchObject({
      code: 'ERR_STORE_NAME',
    });
  });

  it('refuse windows of another meaning in the same store, but take another grace', () => {
    const stores = memoryStores();
    const run = (size: '10ms' | '20ms', grace: '0s' | '9s'): void => {
      const windower = tumbling({ size, grace });
      new TestDriver(keyed.pipe(windowBy(windower, agg.count(), { store: 's' })), { stores }).pipe(keyed, at(1));
    };
    run('10ms', '0s');
    run('10ms', '9s');
    const error = thrown(() => run('20ms', '0s'));
    expect(error).toMatchObject({ code: 'ERR_STORE_INCOMPATIBLE', errorClass: 'store' });
    expect(error.message).toMatch(/tumbling\(10ms\).*tumbling\(20ms\).* – .*new store name/);
  });

  it('go on with a store of a version that wrote another fingerprint and no ends', () => {
    const stores = memoryStores();
    const id = { applicationId: 'test', partition: 0 };
    const key = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 10, ...string().serialize('a'));
    const time = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 12);
    const text = (value: string): Uint8Array => new TextEncoder().encode(value);
    stores.apply([
      { id: { ...id, store: 's' }, keys: [key, TIME_KEY], values: [msgpackCodec<number>('s').encode(4, 12), time] },
      { id: { ...id, store: '#stores' }, keys: [text('s')], values: [text('tumbling(10ms) count')] },
    ]);
    const driver = new TestDriver(keyed.pipe(windowBy(TEN, agg.count(), { store: 's' }), asText, to(output)), {
      stores,
    });
    driver.pipe(keyed, at(9));
    expect(driver.late).toHaveLength(1);
    driver.pipe(keyed, at(20));
    expect(rowsOf(driver)).toEqual(['a[10,20)=4@12']);
  });
});
