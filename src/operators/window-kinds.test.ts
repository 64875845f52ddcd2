import {
  agg,
  bytes,
  deadLetter,
  json,
  mapValues,
  session,
  sliding,
  string,
  to,
  topic,
  tumbling,
  unlimited,
  type WindowedRecord,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryStores } from '../state/memory-backend.ts';
import { headers, input, keyed, other, output, thrown } from './operators.fixtures.ts';

/** `key[start,end]=value@timestamp` */
const asText = <K>(source: Observable<WindowedRecord<K, unknown>>): Observable<WindowedRecord<K, string>> =>
  source.pipe(
    mapValues(
      (value, { key, timestamp, window }) =>
        `${String(key)}[${window.start},${window.end}]=${JSON.stringify(value)}@${timestamp}`,
    ),
  );
const rowsOf = (driver: TestDriver): unknown[] => driver.read(output).map(({ value }) => value);
const at = (timestamp: number, key: string | null = 'a', value: number | null = 1) => ({ key, value, timestamp });
const anyDead = topic('dead', { key: string(), value: bytes() });
const texts = topic('texts', { key: string(), value: json<string>() });

const joined = agg.custom({
  name: 'joined',
  init: () => '',
  add: (state: string, value: string) => state + value,
  merge: (left: string, right: string) => left + right,
});

describe('sessions', () => {
  const FIVE = session({ gap: '5ms', grace: '0s' });

  it('grow, are bridged by one record, and take back what they were (SE-1 to SE-4)', () => {
    const driver = new TestDriver(
      texts.pipe(
        windowBy(session({ gap: '5ms', grace: '20ms' }), joined, { store: 's', emit: 'updates' }),
        asText,
        to(output),
      ),
    );
    const after = (value: string, timestamp: number): unknown[] => {
      driver.pipe(texts, { key: 'k', value, timestamp });
      return rowsOf(driver);
    };
    expect(after('a', 0)).toEqual(['k[0,0]="a"@0']);
    expect(after('b', 6)).toEqual(['k[6,6]="b"@6']);
    expect(after('d', 6)).toEqual(['k[6,6]="bd"@6']);
    expect(after('e', 3)).toEqual(['k[0,0]=null@0', 'k[6,6]=null@6', 'k[0,6]="abde"@6']);
    expect([...driver.store('s').entries()]).toEqual([
      { key: 'k', value: 'abde', timestamp: 6, window: { start: 0, end: 6 } },
    ]);
  });

  it('are open at last + gap + grace, and closed behind that (SE-5, SE-6)', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(FIVE, agg.count(), { store: 's' }), asText, to(output)));
    for (const timestamp of [0, 5]) driver.pipe(keyed, at(timestamp));
    driver.pipe(keyed, at(10, 'other'));
    expect(rowsOf(driver)).toEqual([]);
    driver.pipe(keyed, at(5));
    expect([...driver.store('s').entries()]).toMatchObject([{ key: 'a', value: 3 }, { key: 'other' }]);
    driver.pipe(keyed, at(11, 'other'));
    expect(rowsOf(driver)).toEqual(['a[0,5]=3@5']);
    driver.pipe(keyed, at(5));
    expect(rowsOf(driver)).toEqual([]);
    expect(driver.late.map(({ late }) => late)).toEqual([
      {
        step: 'windowBy(s)',
        streamTime: 11,
        reason: 'window closed',
        missed: [{ start: 5, end: 5 }],
        partial: false,
      },
    ]);
    driver.pipe(keyed, at(6));
    expect([...driver.store('s').entries()].filter(({ key }) => key === 'a')).toMatchObject([
      { value: 1, window: { start: 6, end: 6 } },
    ]);
  });

  it('close by last, first and key bytes, also at the end of the input (EM-3)', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(FIVE, agg.count(), { store: 's' }), asText, to(output)));
    driver.pipeAll(keyed, [at(6, 'é'), at(3, 'b'), at(3, 'z'), at(6, 'b'), at(6, 'a')]);
    driver.restart();
    driver.end('close');
    expect(rowsOf(driver)).toEqual(['z[3,3]=1@3', 'b[3,6]=2@6', 'a[6,6]=1@6', 'é[6,6]=1@6']);
    driver.restart();
    driver.end('close');
    expect(rowsOf(driver)).toEqual([]);
  });

  it('go with the headers of the record that changed them, and drop nulls', () => {
    const driver = new TestDriver(
      input.pipe(windowBy(FIVE, agg.count(), { store: 's', emit: 'updates' }), mapValues(String), to(output)),
    );
    driver.pipe(input, at(1));
    driver.pipe(input, { ...at(2), headers: headers(['h', 'x']) });
    driver.pipeAll(input, [at(90, 'a', null), at(90, null)]);
    expect(driver.read(output).map((row) => [row.value, row.headers.length])).toEqual([
      ['1', 0],
      ['null', 1],
      ['2', 1],
    ]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 2, stores: [{ streamTime: 2 }] });
  });

  it('that an aggregator deletes are gone', () => {
    const until = agg.custom({
      init: () => 0,
      add: (n: number, value: number) => (value === 0 ? null : n + value),
      merge: (left: number, right: number) => left + right,
    });
    const driver = new TestDriver(
      keyed.pipe(windowBy(FIVE, until, { store: 's', emit: 'updates' }), asText, to(output)),
    );
    driver.pipeAll(keyed, [at(1, 'a', 2), at(3, 'a', 0), at(4, 'a', 7)]);
    expect(rowsOf(driver)).toEqual(['a[1,1]=2@1', 'a[1,1]=null@1', 'a[1,3]=null@3', 'a[4,4]=7@4']);
  });

  it('need an aggregator that merges', () => {
    const counts = agg.custom({ name: 'mine', init: () => 0, add: (n: number) => n + 1 });
    expect(thrown(() => windowBy(FIVE, counts, { store: 's' }))).toMatchObject({
      code: 'ERR_AGGREGATION',
      message: expect.stringContaining('the aggregator mine cannot merge sessions'),
    });
    expect(thrown(() => windowBy(FIVE, { all: agg.count(), mine: counts }, { store: 's' }))).toMatchObject({
      code: 'ERR_AGGREGATION',
    });
    expect(() => windowBy(tumbling({ size: '1s', grace: '0s' }), counts, { store: 's' })).not.toThrow();
  });
});

describe('sliding windows', () => {
  const TEN = sliding({ difference: '10ms', grace: '0s' });

  it('count what each of several late records at the beginning of time has missed (SL-5)', () => {
    const driver = new TestDriver(
      input.pipe(
        windowBy(sliding({ difference: '3ms', grace: '0s' }), agg.count(), { store: 's', emit: 'updates' }),
        asText,
        to(output),
      ),
    );
    // Late for [0,3] and [1,4], both of them.
    for (const timestamp of [0, 5, 3, 3]) driver.pipe(input, at(timestamp));
    expect(driver.tasks().map(({ late }) => late)).toEqual([4]);
  });

  it('have both ends, and only contents of their own (SL-1 to SL-4)', () => {
    const driver = new TestDriver(
      texts.pipe(
        windowBy(sliding({ difference: '5000ms', grace: '10s' }), joined, { store: 's', emit: 'updates' }),
        asText,
        to(output),
      ),
    );
    for (const [timestamp, value] of [
      [8000, '1'],
      [9200, '2'],
      [12400, '3'],
    ] as const)
      driver.pipe(texts, { key: 'k', value, timestamp });
    const known = [...driver.store('s').entries()].map(({ value, window }) => [window?.start, window?.end, value]);
    expect(known).toEqual([
      [3000, 8000, '1'],
      [4200, 9200, '12'],
      [7400, 12400, '123'],
      [8001, 13001, '23'],
      [9201, 14201, '3'],
    ]);
  });

  it('close each once, also over a restart, and keep what later ones begin with (SL-3, EM-5)', () => {
    const driver = new TestDriver(keyed.pipe(windowBy(TEN, agg.count(), { store: 's' }), asText, to(output)));
    const after = (timestamp: number): unknown[] => {
      driver.pipe(keyed, at(timestamp));
      driver.restart();
      return rowsOf(driver);
    };
    expect([20, 25, 40, 60].map(after)).toEqual([
      [],
      ['a[10,20]=1@20'],
      ['a[15,25]=2@25', 'a[21,31]=1@25'],
      ['a[30,40]=1@40'],
    ]);
    // Late for its own window, and still part of the one that ends with the next record.
    expect([55, 61, 90].map(after)).toEqual([
      [],
      ['a[50,60]=2@60'],
      ['a[51,61]=3@61', 'a[56,66]=2@61', 'a[61,71]=1@61'],
    ]);
    expect(driver.late.map(({ late, timestamp }) => [timestamp, late.missed, late.partial])).toEqual([
      [55, [{ start: 45, end: 55 }], true],
    ]);
  });

  it('of a difference of 0 hold equal timestamps', () => {
    const same = sliding({ difference: '0ms', grace: '5ms' });
    const driver = new TestDriver(keyed.pipe(windowBy(same, agg.count(), { store: 's' }), asText, to(output)));
    driver.pipeAll(keyed, [at(3), at(4), at(3), at(30)]);
    expect(rowsOf(driver)).toEqual(['a[3,3]=2@3', 'a[4,4]=1@4']);
  });

  it('go on after an aggregator has deleted what they held', () => {
    const until = agg.custom({ init: () => 0, add: (n: number, value: number) => (value === 0 ? null : n + value) });
    const driver = new TestDriver(
      keyed.pipe(windowBy(sliding({ difference: '10ms', grace: '20ms' }), until, { store: 's' }), asText, to(output)),
    );
    for (const record of [at(20, 'a', 2), at(22, 'a', 0), at(24, 'a', 5)]) {
      driver.pipe(keyed, record);
      driver.restart();
    }
    driver.end('close');
    expect(rowsOf(driver)).toEqual(['a[10,20]=2@20', 'a[14,24]=5@24', 'a[21,31]=5@24', 'a[23,33]=5@24']);
  });
});

describe('an unlimited window', () => {
  it('takes what comes from its start on, and has no end (UN-1)', () => {
    const driver = new TestDriver(
      keyed.pipe(
        windowBy(unlimited({ start: 10 }), agg.count(), {
          store: 's',
          emit: 'updates',
          late: (late) => late.pipe(to(other)),
        }),
        asText,
        to(output),
      ),
    );
    driver.pipeAll(keyed, [at(9), at(10), at(500), at(11)]);
    expect(rowsOf(driver)).toEqual(['a[10,Infinity]=1@10', 'a[10,Infinity]=2@500', 'a[10,Infinity]=3@500']);
    driver.restart();
    expect([...driver.store('s').entries()]).toEqual([
      { key: 'a', value: 3, timestamp: 500, window: { start: 10, end: Infinity } },
    ]);
    driver.end('close');
    driver.restart();
    driver.pipe(keyed, at(12));
    expect(rowsOf(driver)).toEqual(['a[10,Infinity]=4@500']);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 0, late: 0 });
  });

  it('cannot emit on close, and begins at 0 or later', () => {
    expect(thrown(() => windowBy(unlimited(), agg.count(), { store: 's' }))).toMatchObject({
      code: 'ERR_OPTION',
      message: expect.stringContaining('never closes'),
    });
    expect(thrown(() => unlimited({ start: -1 }))).toMatchObject({ code: 'ERR_OPTION' });
    expect(thrown(() => unlimited({ start: '2026' as never }))).toMatchObject({ code: 'ERR_OPTION' });
  });
});

describe('rows at intervals of stream time (EM-7)', () => {
  const TEN = tumbling({ size: '10ms', grace: '10ms' });
  const every = (driver: TestDriver, ...timestamps: number[]): unknown[][] =>
    timestamps.map((timestamp) => {
      driver.pipe(keyed, at(timestamp));
      driver.restart();
      return rowsOf(driver);
    });

  it('come for windows that have changed, once, and when they close', () => {
    const driver = new TestDriver(
      keyed.pipe(windowBy(TEN, agg.count(), { store: 's', emit: { every: '5ms' } }), asText, to(output)),
    );
    expect(every(driver, 1, 2, 3, 6, 7, 12, 13, 21, 40)).toEqual([
      ['a[0,10]=1@1'],
      [],
      [],
      ['a[0,10]=4@6'],
      [],
      ['a[0,10]=5@7', 'a[10,20]=1@12'],
      [],
      ['a[0,10]=5@7', 'a[10,20]=2@13', 'a[20,30]=1@21'],
      ['a[10,20]=2@13', 'a[20,30]=1@21', 'a[40,50]=1@40'],
    ]);
  });

  it('take back sessions that were told and have become part of others, and only those', () => {
    const driver = new TestDriver(
      keyed.pipe(
        windowBy(session({ gap: '5ms', grace: '50ms' }), agg.count(), { store: 's', emit: { every: '20ms' } }),
        asText,
        to(output),
      ),
    );
    expect(every(driver, 1, 3, 21, 19, 41)).toEqual([
      ['a[1,1]=1@1'],
      [],
      ['a[1,1]=null@1', 'a[1,3]=2@3', 'a[21,21]=1@21'],
      [],
      ['a[21,21]=null@21', 'a[19,21]=2@21', 'a[41,41]=1@41'],
    ]);
  });

  it('take back a row that an aggregator deletes, at the time of its records', () => {
    const kept = agg.custom({
      name: 'kept',
      init: () => 0,
      add: (state: number, value: number) => (value === 0 ? null : state + value),
      result: (state: number) => state,
    });
    for (const windows of [tumbling({ size: '1h', grace: '0s' }), unlimited({ start: 0 })]) {
      const driver = new TestDriver(
        keyed.pipe(windowBy(windows, kept, { store: 's', emit: { every: '10ms' } }), asText, to(output)),
      );
      driver.pipe(keyed, at(1, 'a', 5));
      driver.pipe(keyed, at(2, 'a', 0));
      driver.restart();
      driver.pipe(keyed, at(3, 'b', 7));
      driver.pipe(keyed, at(12, 'b', 7));
      const end = windows.kind === 'unlimited' ? 'Infinity' : '3600000';
      expect(rowsOf(driver)).toEqual([`a[0,${end}]=5@1`, `a[0,${end}]=null@2`, `b[0,${end}]=14@12`]);
    }
  });

  it('are for durations above 0', () => {
    for (const emit of [{ every: '0s' }, { every: '-1s' }, {}, { evry: '1s' }, null, 'final']) {
      expect(() => windowBy(TEN, agg.count(), { store: 's', emit: emit as never }), JSON.stringify(emit)).toThrow(
        /every|emit/,
      );
    }
  });
});

describe('stored windows of a key', () => {
  it('that cannot be read are put aside when they close, and keep no others from closing', () => {
    const stores = memoryStores();
    const pipelineOf = (most: number) => {
      const packed = agg.custom({
        init: () => 0,
        add: (n: number, value: number) => n + value,
        merge: (left: number, right: number) => left + right,
        state: json(z.number().max(most)),
      });
      const five = session({ gap: '5ms', grace: '0s' });
      return keyed.pipe(windowBy(five, packed, { store: 's' }), asText, to(output));
    };
    const before = new TestDriver(pipelineOf(9), { applicationId: 'test', stores });
    before.pipeAll(keyed, [at(1, 'a', 9), at(2, 'b', 2)]);
    const options = { applicationId: 'test', stores, onRecordError: deadLetter('dead') };
    const driver = new TestDriver(pipelineOf(5), options);
    driver.pipe(keyed, at(3, 'a', 1));
    expect(lettersOf(driver), 'the record that would join it').toEqual(['a: record']);
    driver.end('close');
    expect(rowsOf(driver)).toEqual(['b[2,2]=2@2']);
    expect(lettersOf(driver), 'and the row that closes').toEqual(['a: row']);
  });
});

/** The dead letters since the last call: of records, and of rows. */
function lettersOf(driver: TestDriver): string[] {
  return driver.read(anyDead).map(({ key, headers: all }) => {
    const isRow = all.some(([name]) => name.startsWith('millrace.row.'));
    return `${key}: ${isRow ? 'row' : 'record'}`;
  });
}

it('refuses what are no windows', () => {
  expect(thrown(() => windowBy(undefined as never, agg.count(), { store: 's' }))).toMatchObject({ code: 'ERR_OPTION' });
  expect(thrown(() => windowBy({} as never, agg.count(), { store: 's' }))).toMatchObject({ code: 'ERR_OPTION' });
  expect(thrown(() => session({ gap: '0s', grace: '0s' }))).toMatchObject({ code: 'ERR_WINDOW_SIZE' });
  expect(thrown(() => sliding({ difference: '-1s', grace: '0s' }))).toMatchObject({ code: 'ERR_DURATION' });
  expect(thrown(() => sliding({ diff: '1s', grace: '0s' } as never))).toMatchObject({ code: 'ERR_OPTION' });
});
