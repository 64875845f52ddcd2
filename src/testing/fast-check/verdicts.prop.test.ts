import fc from 'fast-check';
import { filterValues, int32, json, mapAsync, mapValues, string, topic } from 'millrace';
import { CheckFailed, expectJoinLaws, expectLaws, records } from 'millrace/testing/fast-check';
import { merge } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { failure } from './failures.fixtures.ts';

const numbers = topic('numbers', { key: string(), value: int32() });
const results = topic('results', { key: string(), value: int32() });
const objects = topic('objects', { key: string(), value: json<object>() });
const some = records({ keys: ['a', 'b'], values: fc.nat(9) });
const base = { input: numbers, output: results, records: some, seed: 7, runs: 15 };
const off = { batching: false, restart: false };

describe('laws that cannot be judged', () => {
  it('refuse asynchronous calls, whose rows come when nobody looks any more', () => {
    const calling = (source: typeof numbers) => source.pipe(mapAsync(async (n) => n + Math.random()));
    const error = failure(() => expectLaws(calling, base));
    expect(error).not.toBeInstanceOf(CheckFailed);
    expect(error.message).toMatch(/^law "repeatable" cannot be tried: .* makes asynchronous calls – check it with/);
    expect(error.message.match(/^driver\.pipe/gm)).toHaveLength(1);
  });

  it('refuse to hold where no row was compared', () => {
    const none = (source: typeof numbers) => source.pipe(filterValues(() => false));
    expect(() => expectLaws(none, base)).toThrow(/compared nothing: none of \d+ inputs made a row in results/);
    const left = topic('left', { key: string(), value: int32() });
    const sides = { left: { input: left, records: some }, right: { input: numbers, records: some }, output: results };
    const neither = (one: typeof left, other: typeof numbers) => merge(one, other).pipe(filterValues(() => false));
    expect(() => expectJoinLaws(neither, { ...sides, seed: 7, runs: 15 })).toThrow(/expectJoinLaws compared nothing/);
    expectLaws(none, { ...base, model: () => [] });
  });

  it('refuse numbers of runs that would not end, or check nothing', () => {
    const same = (source: typeof numbers) => source.pipe(mapValues((n) => n));
    for (const runs of [0.5, 0, -1, Number.NaN]) {
      expect(() => expectLaws(same, { ...base, runs }), String(runs)).toThrow(/expectLaws: runs is/);
    }
  });

  it('refuse a model that returns no rows, and keys of which there are none', () => {
    const same = (source: typeof numbers) => source.pipe(mapValues((n) => n));
    const made = [undefined, Promise.resolve([]), { steps: [] }];
    const said = made.map((each) => {
      const { message } = failure(() => expectLaws(same, { ...base, ...off, model: () => each as never }));
      return /cannot be tried: (.*) –/.exec(message)?.[1];
    });
    expect(said[0]).toContain('the model returned undefined for ');
    expect(said[1]).toContain('the model returned ');
    expect(said[2]).toMatch(/the model returned steps for 0 records for \d+ record/);
    expect(() => records({ keys: [], values: fc.nat(9) })).toThrow('records: keys is empty');
  });

  it('refuse sums that are no numbers, which are equal to each other', () => {
    const amounts = { ofRecord: () => Number.NaN, ofRow: () => Number.NaN };
    const same = (source: typeof numbers) => source.pipe(mapValues((n) => n));
    expect(() => expectLaws(same, { ...base, ...off, conserves: amounts })).toThrow(
      /law "conserves" cannot be tried: conserves\.ofRecord returned NaN for \{ key: 'a'/,
    );
  });
});

describe('laws do not blame', () => {
  it('a model for what the topic makes of its rows: −0, Dates, and the order of fields', () => {
    const negated = (source: typeof numbers) => source.pipe(mapValues((n) => n * -1));
    expectLaws(negated, {
      ...base,
      ...off,
      model: (all) => all.map(({ key = null, value }) => ({ key, value: (value ?? 0) * -1 })),
    });
    const dated = (source: typeof numbers) =>
      source.pipe(mapValues((n) => ({ n, at: new Date(n), more: { a: 1, b: 2 } })));
    expectLaws(dated, {
      ...base,
      ...off,
      output: objects,
      model: (all) =>
        all.map(({ key = null, value }) => ({
          key,
          value: { more: { b: 2, a: 1, c: undefined }, at: new Date(value ?? 0), n: value },
        })),
    });
  });

  it('a model for what the input topic makes of its records', () => {
    const input = topic('any', { key: string(), value: json<unknown>() });
    expectLaws(
      (source) => source.pipe(mapValues((value) => ({ text: JSON.stringify(value), zero: Object.is(value, 0) }))),
      {
        input,
        output: objects,
        records: records({ keys: ['a'], values: fc.constantFrom<unknown>(-0, new Date(5), { gone: undefined }) }),
        ...off,
        seed: 7,
        runs: 15,
        model: (all) =>
          all.map(({ key = null, value }) => ({
            key,
            value: { text: JSON.stringify(value), zero: Object.is(value, 0) },
          })),
      },
    );
  });

  it('a model that gives timestamps to some of its rows only', () => {
    const model =
      (late: number) => (all: readonly { key?: string | null; value: number | null; timestamp?: number }[]) =>
        all.map(({ key = null, timestamp = 0, value }, at) => {
          return at % 2 === 0 ? { key, value } : { key, value, timestamp: timestamp + late };
        });
    const same = (source: typeof numbers) => source.pipe(mapValues((n) => n));
    const one = { ...base, ...off, records: records({ keys: ['a'], values: fc.nat(9) }) };
    expectLaws(same, { ...one, model: model(0) });
    expect(() => expectLaws(same, { ...one, model: model(1) })).toThrow(CheckFailed);
  });

  it('a sum for rounding, but one for what is lost', () => {
    const input = topic('fractions', { key: string(), value: json<number>() });
    const output = topic('parts', { key: string(), value: json<number[]>() });
    const options = {
      input,
      output,
      records: records({ keys: ['a'], values: fc.double({ min: 0, max: 1, noNaN: true }) }),
      ...off,
      seed: 7,
      conserves: {
        ofRecord: ({ value }: { value: number | null }) => value ?? 0,
        ofRow: ({ value }: { value: number[] | null }) => (value ?? []).reduceRight((sum, part) => sum + part, 0),
      },
    };
    const thirds = (value: number) => [value * 0.1, value * 0.2, value * 0.7];
    expectLaws((source) => source.pipe(mapValues(thirds)), options);
    expect(() => expectLaws((source) => source.pipe(mapValues((n) => [n * 0.999_999])), options)).toThrow(CheckFailed);
  });
});

it('a counterexample has the record policy it was found with', () => {
  const failing = (source: typeof numbers) =>
    source.pipe(
      mapValues((n) => {
        if (n === 5) throw new Error('five');
        return n;
      }),
    );
  const model = (all: readonly { key?: string | null; value: number | null }[]) =>
    all.map(({ key = null, value }) => ({ key, value }));
  const rules = { ...base, ...off, runs: 100, model };
  expect(failure(() => expectLaws(failing, { ...rules, onRecordError: 'skip' })).message).toContain(
    `new TestDriver(pipeline, { onRecordError: 'skip' });`,
  );
  const letters = { deadLetter: 'letters' };
  expect(failure(() => expectLaws(failing, { ...rules, onRecordError: letters })).message).toContain(
    `new TestDriver(pipeline, { onRecordError: { deadLetter: 'letters' } });`,
  );
});
