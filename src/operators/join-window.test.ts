import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  calendar,
  countWindows,
  joinWindow,
  json,
  nullable,
  session,
  sliding,
  string,
  to,
  topic,
  tumbling,
  unlimited,
} from '../index.ts';
import { memoryStores } from '../state/memory-backend.ts';
import { TestDriver, type TestDriverOptions } from '../testing/index.ts';
import { left, right } from './join-window.fixtures.ts';
import { dead, headers, output, showLate, shown, thrown } from './operators.fixtures.ts';

const late = {
  left: topic('late-left', { key: nullable(string()), value: nullable(json<number>()) }),
  right: topic('late-right', { key: nullable(string()), value: nullable(json<number>()) }),
};
const ten = tumbling({ size: '10ms', grace: '5ms' });
const options = { store: 's' } as const;

function joined(more: object = {}, driverOptions: TestDriverOptions = {}, windower = ten as never): TestDriver {
  const join = joinWindow(right, windower, ((l: number | null, r: number | null) => `${l}+${r}`) as never, {
    ...options,
    late: {
      left: (records: Observable<never>) => records.pipe(to(late.left)),
      right: (records: Observable<never>) => records.pipe(to(late.right)),
    } as never,
    ...more,
  });
  return new TestDriver(left.pipe(join, to(output)), driverOptions);
}
const send = (driver: TestDriver, side: typeof left, key: string | null, value: number | null, timestamp: number) =>
  driver.pipe(side, { key, value, timestamp, headers: headers(['h', '1']) });

describe('joinWindow', () => {
  it('gives all pairs of a window when it closes, by time, without headers', () => {
    const driver = joined();
    for (const [side, value, timestamp] of [
      [right, 1, 9],
      [left, 2, 8],
      [left, 3, 2],
      [right, 4, 1],
      [left, 5, 10],
    ] as const) {
      send(driver, side, 'a', value, timestamp);
    }
    expect(driver.read(output)).toEqual([]);
    send(driver, left, 'b', 6, 15);
    const rows = driver.read(output);
    expect(shown(rows)).toEqual(['a="3+4"@2', 'a="3+1"@9', 'a="2+4"@8', 'a="2+1"@9']);
    expect(rows.every((row) => row.headers.length === 0)).toBe(true);
  });

  it('gives records of an empty other side in left and outer joins, and nothing in inner ones', () => {
    for (const [type, wanted] of [
      ['inner', []],
      ['left', ['a="1+null"@0']],
      ['outer', ['a="1+null"@0', 'b="null+2"@0']],
    ] as const) {
      const driver = joined({ type });
      send(driver, left, 'a', 1, 0);
      send(driver, right, 'b', 2, 0);
      driver.restart();
      driver.end('close');
      expect(shown(driver.read(output))).toEqual(wanted);
    }
  });

  it('tells late records by side, drops nulls, and moves no time with them', () => {
    const driver = joined({ type: 'outer' });
    send(driver, left, 'a', null, 90);
    send(driver, right, null, 1, 90);
    send(driver, left, 'a', 1, 15);
    send(driver, right, 'a', 2, 9);
    send(driver, left, 'a', 3, 8);
    expect(shown(driver.read(late.right))).toEqual(['a=2@9']);
    expect(shown(driver.read(late.left))).toEqual(['a=3@8']);
    expect(driver.late.map(showLate)).toEqual(['a@9 missed [0,10)', 'a@8 missed [0,10)']);
    expect(driver.tasks()[0]).toMatchObject({ late: 2, dropped: 2 });
  });

  it('makes one session of both sides', () => {
    const visit = session({ gap: '5ms', grace: '10ms' });
    const driver = joined({}, {}, visit as never);
    send(driver, left, 'a', 1, 0);
    send(driver, left, 'a', 2, 9);
    send(driver, right, 'a', 3, 5);
    driver.end('close');
    expect(shown(driver.read(output))).toEqual(['a="1+3"@5', 'a="2+3"@9']);
  });

  it('takes windows of any length, and a stream with itself', () => {
    const day = calendar({ unit: 'day', zone: 'UTC', grace: '0s' });
    const driver = new TestDriver(
      left.pipe(
        joinWindow(left, day, (l, r) => [l, r], options),
        to(output),
      ),
    );
    for (const value of [1, 2]) send(driver, left, 'a', value, value);
    driver.end('close');
    expect(driver.read(output).map(({ value }) => value)).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
  });

  it('closes by silence', () => {
    const driver = joined({}, { idle: '1s' });
    send(driver, left, 'a', 1, 0);
    send(driver, right, 'a', 2, 1);
    driver.advanceTime('1s');
    expect(shown(driver.read(output))).toEqual(['a="1+2"@1']);
  });

  it('puts aside the pair alone that cannot be combined', () => {
    const fussy = (l: number, r: number): string => {
      if (l === 2) throw new Error('refused');
      return `${l}+${r}`;
    };
    const driver = new TestDriver(left.pipe(joinWindow(right, ten, fussy, options), to(output)), {
      onRecordError: { deadLetter: 'dead' },
    });
    for (const value of [1, 2, 3]) send(driver, left, 'a', value, value);
    send(driver, right, 'a', 9, 0);
    send(driver, left, 'b', 4, 90);
    expect(shown(driver.read(output))).toEqual(['a="1+9"@1', 'a="3+9"@3']);
    expect(driver.read(dead).map(({ value }) => value)).toEqual([{ left: 2, right: 9 }]);
  });

  it('keeps values by their serdes, shows them, and refuses other windows', () => {
    const stores = memoryStores();
    const value = { left: json<number>(), right: json<number>() };
    const first = joined({ value }, { stores });
    send(first, left, 'a', 1, 0);
    send(first, right, 'a', 2, 0);
    expect([...first.store('s').entries()].map((entry) => entry.value)).toEqual([{ left: [1], right: [2] }]);
    const wide = tumbling({ size: '20ms', grace: '0ms' });
    expect(thrown(() => joined({ value }, { stores }, wide as never)).code).toBe('ERR_STORE_INCOMPATIBLE');
    const second = joined({ value }, { stores });
    second.end('close');
    expect(shown(second.read(output))).toEqual(['a="1+2"@0']);
  });

  it('checks what it is given', () => {
    const wrong = (windower: unknown, more: object = {}): string =>
      thrown(() => joinWindow(right, windower as never, (l) => l, { ...options, ...more })).code;
    expect(wrong(sliding({ difference: '1s', grace: '0s' }))).toBe('ERR_OPTION');
    expect(wrong(countWindows({ size: 2 }))).toBe('ERR_OPTION');
    expect(wrong(unlimited({ start: 0 }))).toBe('ERR_OPTION');
    expect(wrong('minute')).toBe('ERR_OPTION');
    expect(wrong(ten, { store: '' })).toBe('ERR_STORE_NAME');
    expect(wrong(ten, { type: 'full' })).toBe('ERR_OPTION');
    expect(wrong(ten, { within: '1s' })).toBe('ERR_OPTION');
    expect(wrong(ten, { late: { both: () => undefined } })).toBe('ERR_OPTION');
    expect(thrown(() => joinWindow('right' as never, ten, (l) => l, options)).code).toBe('ERR_OPTION');
    expect(thrown(() => joinWindow(right, ten, async (l) => l, options)).code).toBe('ERR_ASYNC_FUNCTION');
  });
});
