import fc from 'fast-check';
import { agg, countWindows, json, mapValues, string, to, topic, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';

const source = topic('source', { key: string(), value: json<number>() });
const rows = topic('rows', { key: string(), value: json<string>() });
interface Arrival {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
}

function run(size: number, advance: number, arrivals: readonly Arrival[], restarts: number): readonly unknown[] {
  const joined = agg.custom({ init: () => '', add: (text: string, n: number) => `${text}${n}` });
  const driver = new TestDriver(
    source.pipe(
      windowBy(countWindows({ size, advance }), joined, { store: 's' }),
      mapValues((text, { timestamp, window: { end, start } }) => `${text} [${start},${end}]@${timestamp}`),
      to(rows),
    ),
    { cacheEntries: 1 },
  );
  for (const [at, arrival] of arrivals.entries()) {
    driver.pipe(source, arrival);
    if (((restarts >> (at % 20)) & 1) === 1) driver.restart();
  }
  expect(driver.late).toEqual([]);
  const full = driver.read(rows).map(({ key, value }) => `${key}: ${value}`);
  driver.end('close');
  driver.restart();
  expect([...driver.store('s').entries()]).toEqual([]);
  return [full, driver.read(rows).map(({ key, value }) => `${key}: ${value}`)];
}

/** Slices of what each key got. */
function naive(size: number, advance: number, arrivals: readonly Arrival[]): readonly unknown[] {
  const textOf = (window: readonly Arrival[]): { readonly start: number; readonly text: string } => {
    const times = window.map(({ timestamp }) => timestamp);
    const [start, end] = [Math.min(...times), Math.max(...times)];
    const values = window.map(({ value }) => value).join('');
    return { start, text: `${window[0]?.key}: ${values} [${start},${end}]@${end}` };
  };
  const full: string[] = [];
  for (const [at, { key }] of arrivals.entries()) {
    const own = arrivals.slice(0, at + 1).filter((each) => each.key === key);
    const from = own.length - size;
    if (from >= 0 && from % advance === 0) full.push(textOf(own.slice(from)).text);
  }
  const open = ['a', 'b'].flatMap((key) => {
    const own = arrivals.filter((each) => each.key === key);
    const starts = own.map((_, at) => at).filter((at) => at % advance === 0 && at + size > own.length);
    return starts.map((at) => ({ key, ...textOf(own.slice(at)) }));
  });
  open.sort((left, right) => left.start - right.start || (left.key < right.key ? -1 : left.key > right.key ? 1 : 0));
  return [full, open.map(({ text }) => text)];
}

describe('windows of so many records', () => {
  it('are slices of what each key got, over restarts', () => {
    const arrival = fc.record({
      key: fc.constantFrom('a', 'b'),
      value: fc.nat({ max: 9 }),
      timestamp: fc.nat({ max: 50 }),
    });
    const sizes = fc
      .integer({ min: 1, max: 5 })
      .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size })));
    fc.assert(
      fc.property(sizes, fc.array(arrival, { maxLength: 20 }), fc.nat(), ([size, advance], arrivals, restarts) => {
        expect(run(size, advance, arrivals, restarts)).toEqual(naive(size, advance, arrivals));
      }),
      { numRuns: 1_000 },
    );
  });

  it('are emitted when they are full, and have whole sizes', () => {
    expect(() => windowBy(countWindows({ size: 2 }), agg.count(), { store: 's', emit: 'updates' })).toThrow('full');
    for (const options of [{ size: 0 }, { size: 2, advance: 3 }, { size: 1.5 }, { size: 2, advance: 0 }, {}]) {
      expect(() => countWindows(options as never)).toThrow(expect.objectContaining({ code: 'ERR_WINDOW_SIZE' }));
    }
  });
});
