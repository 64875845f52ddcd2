import { agg, cumulate, customWindows, json, mapValues, string, to, topic, type Window, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';

const source = topic('source', { key: string(), value: json<number>() });
const rows = topic('rows', { key: string(), value: json<string>() });
const at = (timestamp: number) => ({ key: 'a', value: 1, timestamp });

function counting(windowsOf: (timestamp: number) => readonly Window[], options: { onRecordError?: 'skip' } = {}) {
  const windows = customWindows({ name: 'mine', windowsOf, grace: '0s' });
  const driver = new TestDriver(
    source.pipe(
      windowBy(windows, agg.count(), { store: 's' }),
      mapValues((n, { window: { end, start } }) => `[${start},${end})=${n}`),
      to(rows),
    ),
    options,
  );
  const after = (timestamp: number): string[] => {
    driver.pipe(source, at(timestamp));
    driver.restart();
    return driver.read(rows).map(({ value }) => value as string);
  };
  return { driver, after };
}

describe('windows of one’s own', () => {
  it('may share starts, overlap, and come in any order and twice', () => {
    const { after, driver } = counting((t) => {
      const start = t - (t % 10);
      const all = [
        { start, end: start + 20 },
        { start, end: start + 10 },
        { start, end: start + 20 },
      ];
      return start === 0 ? all : [...all, { start: start - 10, end: start + 10 }];
    });
    expect([1, 10, 12, 20, 40].map(after)).toEqual([
      [],
      ['[0,10)=1'],
      [],
      ['[0,20)=3', '[10,20)=2'],
      ['[10,30)=3', '[20,30)=1', '[20,40)=1'],
    ]);
    expect(driver.tasks()[0]).toMatchObject({ late: 0, dropped: 0 });
    driver.end('close');
    expect(driver.read(rows).map(({ value }) => value)).toEqual(['[30,50)=1', '[40,50)=1', '[40,60)=1']);
  });

  it('may leave timestamps out, which are dropped and move no time', () => {
    const { after, driver } = counting((t) => (t >= 10 && t < 20 ? [{ start: 10, end: 20 }] : []));
    expect([5, 12, 90, 13].map(after)).toEqual([[], [], [], []]);
    expect([...driver.store('s').entries()]).toMatchObject([{ value: 2, window: { start: 10, end: 20 } }]);
  });

  it('fail the record that they do not hold', () => {
    const { after, driver } = counting((t) => [{ start: 0, end: t === 7 ? 7 : 10 }], { onRecordError: 'skip' });
    expect([3, 7, 9].map(after)).toEqual([[], [], []]);
    expect([...driver.store('s').entries()]).toMatchObject([{ value: 2 }]);
    for (const bad of [null, [null], [{ start: -1, end: 5 }], [{ start: 0, end: 1.5 }], [{ start: 4, end: 5 }]]) {
      const windows = customWindows({ name: 'bad', windowsOf: () => bad as never, grace: '0s' });
      expect(() => windows.windowsOf(3)).toThrow(expect.objectContaining({ code: 'ERR_WINDOW_BOUNDS' }));
    }
  });

  it('have a name and a function', () => {
    expect(() => customWindows({ name: '', windowsOf: () => [], grace: '0s' })).toThrow('name is ""');
    expect(() => customWindows({ name: 'x', grace: '0s' } as never)).toThrow('instead of a function');
    expect(() => customWindows({ name: 'x', windowsOf: () => [], grace: '-1s' })).toThrow('grace');
  });
});

describe('cumulate', () => {
  it('grows by steps, and judges lateness for each', () => {
    const driver = new TestDriver(
      source.pipe(
        windowBy(cumulate({ size: '30ms', step: '10ms', grace: '0s' }), agg.count(), { store: 's' }),
        mapValues((n, { window: { end, start } }) => `[${start},${end})=${n}`),
        to(rows),
      ),
    );
    const after = (timestamp: number): unknown[] => {
      driver.pipe(source, at(timestamp));
      return driver.read(rows).map(({ value }) => value);
    };
    expect([1, 9, 12, 3, 29, 31].map(after)).toEqual([[], [], ['[0,10)=2'], [], ['[0,20)=4'], ['[0,30)=5']]);
    expect(driver.late.map(({ late, timestamp }) => [timestamp, late.missed, late.partial])).toEqual([
      [3, [{ start: 0, end: 10 }], true],
    ]);
  });

  it('needs a size of whole steps', () => {
    for (const [size, step] of [
      ['10s', '3s'],
      ['0s', '1s'],
      ['1s', '0s'],
    ] as const) {
      expect(() => cumulate({ size, step, grace: '0s' })).toThrow(expect.objectContaining({ code: 'ERR_WINDOW_SIZE' }));
    }
  });
});
