import fc from 'fast-check';
import { int32, joinStream, json, string, topic } from 'millrace';
import { expectJoinLaws, records } from 'millrace/testing/fast-check';
import { joinStreamModel } from 'millrace/testing/models';
import { describe, expect, it } from 'vitest';

const left = topic('left', { key: string(), value: int32() });
const right = topic('right', { key: string(), value: int32() });
const pairs = topic('pairs', { key: string(), value: json<(number | null)[]>() });
const within = { before: '6ms', after: '3ms' } as const;
const pair = (one: number | null, other: number | null): (number | null)[] => [one, other];

describe('joinStream', () => {
  it('keeps the laws of two inputs, and gives the rows of its model', () => {
    const some = records({ keys: ['a', 'b'], values: fc.nat(9), step: '4ms', disorder: '3ms', late: '20ms' });
    const sides = { left: { input: left, records: some }, right: { input: right, records: some } };
    for (const type of ['inner', 'left', 'outer'] as const) {
      const rules = { within, grace: '4ms', type } as const;
      expectJoinLaws((one, other) => one.pipe(joinStream(other, pair, { ...rules, store: 'j' } as never)) as never, {
        ...sides,
        output: pairs,
        model: (all) => joinStreamModel(rules, pair, all).rows,
        runs: 60,
      });
    }
  });

  it('gives the same on any number of partitions, as long as nothing is late', () => {
    const some = records({ keys: ['a', 'b', 'c'], values: fc.nat(9), step: '4ms', disorder: '3ms' });
    const options = { within, grace: '1s', type: 'outer', store: 'j' } as const;
    expectJoinLaws((one, other) => one.pipe(joinStream(other, pair, options)), {
      left: { input: left, records: some },
      right: { input: right, records: some },
      output: pairs,
      partitions: true,
      batching: false,
      restart: false,
      runs: 60,
    });
    const wrong = (): void =>
      expectJoinLaws(
        (one, other) => one.pipe(joinStream(other, pair, { ...options, type: 'inner' } as never)) as never,
        {
          left: { input: left, records: some },
          right: { input: right, records: some },
          output: pairs,
          batching: false,
          restart: false,
          model: (all) => joinStreamModel({ ...options, type: 'inner', within: '5ms' }, pair, all).rows,
          seed: 1,
        },
      );
    expect(wrong).toThrow(
      /law "model" does not hold[^]*driver\.pipe\(left, [^]*driver\.pipe\(right, |driver\.pipe\(right, [^]*driver\.pipe\(left, /,
    );
  });
});
