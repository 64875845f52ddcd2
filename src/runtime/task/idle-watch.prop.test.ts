import fc from 'fast-check';
import { agg, json, string, to, topic, tumbling, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';

const SIZE = 5;
const GRACE = 2;

const source = topic('source', { key: string(), value: json<number>() });
const out = topic('out', { key: string(), value: json<number>() });
const counted = source.pipe(
  windowBy(tumbling({ size: `${SIZE}ms`, grace: `${GRACE}ms` }), agg.count(), { store: 'counts' }),
  to(out),
);

type Step = { readonly key: string; readonly timestamp: number } | { readonly passes: number } | 'restart';

/** Windows in an array; silence as a sum. */
function model(steps: readonly Step[], idle: number): { rows: unknown[]; late: number } {
  let open: { start: number; key: string; count: number; highest: number }[] = [];
  let [streamTime, silence, late] = [-1, 0, 0];
  const rows: unknown[] = [];
  const isDue = ({ start }: { start: number }, time: number): boolean => start + SIZE + GRACE <= time;
  const close = (): void => {
    const closed = open.filter((window) => isDue(window, streamTime));
    open = open.filter((window) => !closed.includes(window));
    closed.sort((l, r) => l.start - r.start || (l.key < r.key ? -1 : 1));
    for (const { count, highest, key } of closed) rows.push([key, count, highest]);
  };
  for (const step of steps) {
    if (step === 'restart') silence = 0;
    else if ('passes' in step) {
      silence += step.passes;
      if (silence < idle || streamTime < 0 || !open.some((window) => isDue(window, streamTime + silence))) continue;
      streamTime += silence;
      silence = 0;
      close();
    } else {
      const { key, timestamp } = step;
      silence = 0;
      streamTime = Math.max(streamTime, timestamp);
      const start = timestamp - (timestamp % SIZE);
      if (isDue({ start }, streamTime)) late += 1;
      else {
        let window = open.find((each) => each.start === start && each.key === key);
        if (window === undefined) {
          window = { start, key, count: 0, highest: 0 };
          open.push(window);
        }
        window.count += 1;
        window.highest = Math.max(window.highest, timestamp);
      }
      close();
    }
  }
  return { rows, late };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ key: fc.constantFrom('a', 'b'), timestamp: fc.nat({ max: 40 }) }),
  fc.record({ passes: fc.integer({ min: 1, max: 20 }) }),
  fc.constant<Step>('restart'),
);

it('windows close by silence as a naive model says, with records in any order and restarts', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), (steps, idle) => {
      const driver = new TestDriver(counted, { idle: `${idle}ms` });
      for (const each of steps) {
        if (each === 'restart') driver.restart();
        else if ('passes' in each) driver.advanceTime(`${each.passes}ms`);
        else driver.pipe(source, { ...each, value: 1 });
      }
      const rows = driver.read(out).map(({ key, timestamp, value }) => [key, value, timestamp]);
      expect({ rows, late: driver.late.length }).toEqual(model(steps, idle));
    }),
    { numRuns: 1000 },
  );
}, 180_000);
