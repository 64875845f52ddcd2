import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NUMBER_BYTES, writeNumber } from './numbers.ts';
import { StepTime, TIME_KEY } from './step-time.ts';

const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('record' as const), time: fc.nat({ max: 2 ** 40 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('raise' as const), time: fc.nat({ max: 2 ** 40 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('move' as const), time: fc.nat({ max: 2 ** 40 }) }) },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom('advance' as const, 'commit' as const, 'crash' as const) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('free' as const) }) },
  ),
  { maxLength: 60 },
);

describe('step time', () => {
  it('is what was seen, as far as the limit lets it, and never goes back', () => {
    fc.assert(
      fc.property(moves, (script) => {
        const task = { limit: -1 };
        let stored: Uint8Array | undefined;
        let time = new StepTime(task, stored);
        let model = { seen: -1, streamTime: -1 };
        let durable = model;
        for (const move of script) {
          if (move.do === 'record') {
            const seen = Math.max(model.seen, move.time);
            const streamTime = Math.max(model.streamTime, Math.min(seen, task.limit));
            expect(time.reach(move.time)).toBe(streamTime);
            expect([time.seen, time.streamTime], 'asking moves nothing').toEqual([model.seen, model.streamTime]);
            time.observe(move.time);
            model = { seen, streamTime };
          } else if (move.do === 'raise') {
            task.limit = Math.max(task.limit, move.time);
          } else if (move.do === 'free') {
            task.limit = Number.POSITIVE_INFINITY;
          } else if (move.do === 'move') {
            time.moveTo(move.time);
            model = { seen: Math.max(model.seen, move.time), streamTime: Math.max(model.streamTime, move.time) };
          } else if (move.do === 'advance') {
            const streamTime = Math.max(model.streamTime, Math.min(model.seen, task.limit));
            expect(time.advance()).toBe(streamTime > model.streamTime);
            model = { ...model, streamTime };
          } else if (move.do === 'commit') {
            const keys: Uint8Array[] = [];
            const values: (Uint8Array | null)[] = [];
            time.collect(keys, values);
            const changed = model.seen !== durable.seen || model.streamTime !== durable.streamTime;
            expect(keys).toEqual(changed ? [TIME_KEY] : []);
            stored = values[0] ?? stored;
            durable = model;
          } else {
            time = new StepTime(task, stored);
            model = durable;
          }
          expect([time.seen, time.streamTime]).toEqual([model.seen, model.streamTime]);
        }
      }),
    );
  });

  it('takes what a store from before limits has for both', () => {
    const stored = new Uint8Array(NUMBER_BYTES);
    writeNumber(stored, 0, 1_700_000_000_000);
    const time = new StepTime({ limit: 5 }, stored);
    expect([time.seen, time.streamTime]).toEqual([1_700_000_000_000, 1_700_000_000_000]);
    const keys: Uint8Array[] = [];
    time.collect(keys, []);
    expect(keys).toEqual([]);
  });
});
