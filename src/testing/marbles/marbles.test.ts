import {
  agg,
  aggregate,
  int32,
  json,
  keyBy,
  nullable,
  process,
  string,
  to,
  topic,
  tumbling,
  windowBy,
  windowedKey,
} from 'millrace';
import { expectMarbles, playMarbles, TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';

const clicks = topic('clicks', { key: nullable(string()), value: nullable(int32()) });
const counts = topic('counts', { key: string(), value: int32() });
const minute = tumbling({ size: '1m', grace: '10s' });
const perMinute = () => new TestDriver(clicks.pipe(windowBy(minute, agg.count(), { store: 'counts' }), to(counts)));

/** What a diagram is refused with. */
function refusal(diagram: string, driver: TestDriver = perMinute()): string {
  try {
    expectMarbles(driver, [clicks, counts], diagram);
  } catch (error) {
    return (error as Error).message;
  }
  return 'it holds';
}

describe('a marble diagram', () => {
  it('compares values of JSON by their fields, in any order', () => {
    const orders = topic('orders', { key: string(), value: json<object>() });
    const copies = topic('copies', { key: string(), value: json<object>() });
    const diagram = (cell: string): string => `
      orders  --a:{"b":[{"d":1,"c":2}],"a":3}(1s)--
      copies  --${cell}(1s)--
    `;
    for (const cell of ['a:{"a":3,"b":[{"c":2,"d":1}]}', 'a:named']) {
      const values = { named: { a: 3, b: [{ c: 2, d: 1 }] } };
      expectMarbles(new TestDriver(orders.pipe(to(copies))), [orders, copies], diagram(cell), { values });
    }
    const wrong = diagram('a:{"a":3,"b":[{"c":2,"d":2}]}');
    expect(() => expectMarbles(new TestDriver(orders.pipe(to(copies))), [orders, copies], wrong)).toThrow(
      /should have/,
    );
  });

  it('says what comes of what, late records and the end too', () => {
    expectMarbles(
      perMinute(),
      [clicks, counts],
      `
      clicks  --a:1(1s)--a:2(2s)--b:1(70s)--a:3(3s)----------|
      counts  ---------------------a:2(2s)-------------------b:1(70s)
      late    ------------------------------a:3(3s)[0s,60s)
      `,
    );
  });

  it('is drawn with what came, so that it can be kept', () => {
    const drawing = playMarbles(
      perMinute(),
      [clicks, counts],
      'clicks a:1(1s) null:2(2s) a:null(3s) b:1(70s) a:3(3s)|\nlate\u0020-\ncounts -',
    );
    expect(drawing.split('\n')).toEqual([
      'clicks  --a:1(1s)--null:2(2s)--a:null(3s)--b:1(70s)--a:3(3s)---------|---------',
      'late    ---------------------------------------------a:3(3s)[0s,1m)------------',
      'counts  -----------------------------------a:1(1s)-------------------b:1(70s)--',
    ]);
    expect(playMarbles(perMinute(), [clicks, counts], drawing)).toBe(drawing);
  });

  it('takes values by name, JSON, keys with windows, a start, and what the clock does', () => {
    const orders = topic('orders', { key: string(), value: json<unknown>() });
    const windows = topic('windows', { key: windowedKey(string()), value: json<unknown>() });
    const start = Date.UTC(2026, 0, 1);
    const pipeline = orders.pipe(
      windowBy(minute, agg.last<unknown>(), { store: 'last', emit: 'updates' }),
      keyBy((_value, { key, window }) => ({ key, ...window })),
      to(windows),
    );
    const driver = new TestDriver(pipeline, { startTime: start, autoCommit: false });
    const values = { small: { total: 1, of: ['x'] } };
    expectMarbles(
      driver,
      [orders, windows],
      `
      orders   --"a b":small(61s)-----b:[1,"-"](1m30s)---------c:{"n":-5}(95s)--------------------
      clock    --------------------^------------------------^-------------------------+10s--!--^
      windows  --------------------"a b"[1m,2m):small(61s)--b[1m,2m):[1,"-"](90s)--------------c[1m,2m):{"n":-5}(95s)
      `,
      { values, start },
    );
    expect(driver.clock.now()).toBe(start + 10_000);
  });

  it('moves the wall clock, and loses in a crash what was not committed', () => {
    const reminders = topic('reminders', { key: string(), value: int32() });
    const pipeline = clicks.pipe(
      process({
        name: 'remind',
        timers: { due: 'wall-clock' },
        next(_record, { now, timers }) {
          timers.due.set(now + 5_000);
        },
        due: {
          due(_timer, { emit }) {
            emit(7);
          },
        },
      }),
      to(reminders),
    );
    expectMarbles(
      new TestDriver(pipeline),
      [clicks, reminders],
      `
      clicks     --a:1--------------------
      clock      -----+4s--!--+1s---------
      reminders  -------------a:7(5s)--
      `,
    );
  });

  it('fails with both diagrams and the first difference, as an ordinary assertion error', () => {
    let error: (Error & { readonly actual?: unknown; readonly expected?: unknown }) | undefined;
    try {
      expectMarbles(
        perMinute(),
        [clicks, counts],
        `
        clicks  --a:1(1s)--b:1(70s)--|
        counts  -------------------a:2(1s)-------b:1
        `,
      );
    } catch (thrown) {
      error = thrown as Error;
    }
    expect(error?.name).toBe('AssertionError');
    expect(error?.message).toBe(
      [
        'counts should have a:2(1s) after b:1(70s) of clicks, and has a:1(1s)',
        '',
        'expected',
        '  clicks  --a:1(1s)--b:1(70s)--|----',
        '  counts  -----------a:2(1s)---b:1--',
        '',
        'got',
        '  clicks  --a:1(1s)--b:1(70s)--|----',
        '  counts  -----------a:1(1s)---b:1--',
        '',
      ].join('\n'),
    );
    expect(error?.expected).toContain('a:2(1s)');
    expect(error?.actual).toContain('a:1(1s)');
  });

  it.each([
    ['clicks', 'line 1, column 7 of a marble diagram: expected a name, a space and what happens'],
    ['clicks --a(1s)', 'line 1, column 11 of a marble diagram: expected : and a value'],
    ['clicks --a:(1s)', 'line 1, column 12 of a marble diagram: expected a value'],
    ['clicks --:1(1s)', 'line 1, column 10 of a marble diagram: expected a key'],
    ['\nclicks --a:1(soon)', 'line 2, column 14 of a marble diagram: expected a time in whole milliseconds'],
    ['clicks --a:1(0.1ms)', 'line 1, column 14 of a marble diagram: expected a time in whole milliseconds'],
    ['clicks --a:1(1s', 'line 1, column 16 of a marble diagram: expected )'],
    ['clicks --a:{"n":1', 'line 1, column 18 of a marble diagram: expected a closing bracket'],
    ['clicks --a:{n}', 'line 1, column 12 of a marble diagram: expected JSON'],
    ['clicks --a[0s,1m:1', 'line 1, column 17 of a marble diagram: expected the end of the window'],
    ['clicks --+1s', 'line 1, column 10 of a marble diagram: expected that on the line clock'],
    ['clock --a:1', 'line 1, column 9 of a marble diagram: expected no record on the line clock'],
    ['clicks -a:1\ncounts --|', 'line 2, column 10 of a marble diagram: expected the end on a line of an input'],
    ['clicks --|--a:1(1s)', 'line 1, column 13 of a marble diagram: expected nothing behind the end |'],
    ['clcks --a:1(1s)', 'the marble diagram has a line clcks, but no topic of that name'],
  ])('is refused where it cannot be read: %j', (diagram, message) => {
    expect(refusal(diagram)).toContain(message);
  });

  it('shows where it cannot be read', () => {
    expect(refusal('clicks --a:1(1x)')).toContain('\n  clicks --a:1(1x)\n               ^\n');
    expect(refusal('clcks --a:1(1s)')).toContain('did you mean clicks?');
  });

  it('shows as code what no diagram can say', () => {
    const dates = topic('dates', { key: string(), value: json<unknown>() });
    const driver = new TestDriver(
      clicks.pipe(
        aggregate(agg.count(), { store: 'n' }),
        keyBy(() => 'x-y'),
        to(dates as never),
      ),
    );
    expect(playMarbles(driver, [clicks, dates], 'clicks a:1(1s)\ndates -')).toContain('"x-y":1(1s)');
  });
});
