import fc from 'fast-check';
import {
  agg,
  filterValues,
  int32,
  joinStream,
  keyBy,
  mapValues,
  type StreamRecord,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { expectJoinLaws, expectLaws, type LawsOptions, operations, records } from 'millrace/testing/fast-check';
import { joinStreamModel, windowByModel } from 'millrace/testing/models';
import { distinctUntilChanged, filter, groupBy, map, merge, mergeMap, type Observable, scan } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { broken, failure } from './failures.fixtures.ts';

const numbers = topic('numbers', { key: string(), value: int32() });
const results = topic('results', { key: string(), value: int32() });
const some = records({ keys: ['a', 'b', 'c'], values: fc.integer({ min: 0, max: 99 }) });
const base = { input: numbers, output: results, records: some, seed: 7 };
const off = { batching: false, restart: false };

const perTen = numbers.pipe(
  windowBy(tumbling({ size: '10ms', grace: '20ms' }), agg.count(), { store: 'counts' }),
  to(results),
);

describe('laws', () => {
  it('hold for windows, in every respect', () => {
    expectLaws(perTen, {
      ...base,
      records: records({ keys: ['a', 'b'], values: fc.nat(9), disorder: '20ms', gap: '100ms', duplicates: true }),
      partitions: true,
      reorder: '20ms',
      conserves: { ofRecord: () => 1, ofRow: ({ value }) => value ?? 0 },
      runs: 12,
    });
  });

  it('hold for stages behind a shuffle', () => {
    const moved = topic('moved', { key: string(), value: int32() });
    const pipeline = numbers.pipe(
      keyBy((n) => String(n % 3)),
      through(moved),
      windowBy(
        tumbling({ size: '10ms', grace: '1s' }),
        agg.sum((n) => n),
        { store: 'sums' },
      ),
      to(results),
    );
    const model: LawsOptions<string, number, string, number>['model'] = (all) => {
      const sums = new Map<string, { key: string; value: number; start: number }>();
      for (const { timestamp = 0, value } of all) {
        const start = timestamp - (timestamp % 10);
        const key = String((value ?? 0) % 3);
        const before = sums.get(`${key} ${start}`)?.value ?? 0;
        sums.set(`${key} ${start}`, { key, value: before + (value ?? 0), start });
      }
      return [...sums.values()].toSorted((left, right) => left.start - right.start);
    };
    expectLaws(pipeline, { ...base, partitions: true, model, runs: 12 });
  });

  it('find state that a restart loses, with the lines that show it', () => {
    const counting = scan(
      (last: StreamRecord<string, number> | undefined, record: StreamRecord<string, number>) => ({
        ...record,
        value: (last?.value ?? 0) + 1,
      }),
      undefined,
    );
    const error = broken(() => expectLaws((source) => source.pipe(counting as never), { ...base, batching: true }));
    expect(error.name).toBe('AssertionError');
    expect(error.message).toMatch(/^law "restart" does not hold: after an interruption/);
    const program =
      error.message
        .split('\n\n')
        .find((part) => part.startsWith('const driver'))
        ?.split('\n') ?? [];
    expect(program[0]).toMatch(/^const driver = new TestDriver\(pipeline(, \{ autoCommit: false \})?\);$/);
    expect(
      program.filter((line) => line.startsWith('driver.pipe(numbers, {')),
      'as few as can be',
    ).toHaveLength(2);
    expect(program.slice(-2)).toEqual([`driver.end('close');`, 'console.log(driver.read(results));']);
    expect(error.expected).toHaveLength(2);
    expect(error.actual).not.toEqual(error.expected);
  });

  it('find what one partition sees of another', () => {
    const all = map((record: StreamRecord<string, number>, at: number) => ({ ...record, value: at }));
    const error = broken(() =>
      expectLaws((source) => source.pipe(all as never), { ...base, ...off, partitions: true }),
    );
    expect(error.message).toMatch(/law "partitions" does not hold: on [234] partitions/);
    expect(error.message).toContain('partitions: ');
  });

  it('find rows that depend on arrival, are lost, in disorder, or not those of a model', () => {
    const inDisorder = { ...base, ...off, records: records({ keys: ['a'], values: fc.nat(9), disorder: '9ms' }) };
    const short = (source: typeof numbers) =>
      source.pipe(windowBy(tumbling({ size: '10ms', grace: '1ms' }), agg.count(), { store: 'counts' }));
    expect(broken(() => expectLaws(short, { ...inDisorder, reorder: '15ms' })).message).toContain('law "reorder"');
    const few = (source: typeof numbers) => source.pipe(filterValues((n) => n < 90));
    const one = { ofRecord: () => 1, ofRow: () => 1 };
    const lost = broken(() => expectLaws(few, { ...base, ...off, conserves: one }));
    expect(lost.message).toContain('the records add up to 1, and the rows to 0');
    expect(lost.message).toContain(`driver.pipe(numbers, { key: 'a', value: 90, timestamp: 0 });`);
    const doubled = (source: typeof numbers) => source.pipe(mapValues((n) => n * 2 + (n === 5 ? 1 : 0)));
    const wrong = broken(() =>
      expectLaws(doubled, {
        ...base,
        ...off,
        records: records({ keys: ['a', 'b'], values: fc.nat(9) }),
        model: (given) => given.map(({ key = null, value }) => ({ key, value: (value ?? 0) * 2 })),
      }),
    );
    expect(wrong.expected).toEqual([`{ key: 'a', value: 10 }`]);
    expect(wrong.actual).toEqual([`{ key: 'a', value: 11 }`]);
    expectLaws(few, { ...base, ...off, order: true, runs: 20 });
  });

  it('tell an operator that is not repeatable from one that loses records, with one record', () => {
    const closures: Record<string, (source: typeof numbers) => Observable<StreamRecord<string, number>>> = {
      'what outlives the driver': (source) => {
        const seen = new Set<number>();
        return source.pipe(filter(({ value }) => !seen.has(value) && seen.add(value) !== undefined));
      },
      'what is random': (source) => source.pipe(mapValues(() => Math.floor(Math.random() * 2 ** 31))),
    };
    for (const [what, operator] of Object.entries(closures)) {
      const { message } = broken(() => expectLaws(operator, { ...base, model: () => [] }));
      expect(message, what).toMatch(/^law "repeatable" does not hold: the same input gives other rows the second time/);
      expect(message.match(/^driver\.pipe/gm), what).toHaveLength(1);
    }
    const left = topic('left', { key: string(), value: int32() });
    let count = 0;
    const counting = () => left.pipe(mapValues(() => (count += 1)));
    const sides = { left: { input: left, records: some }, right: { input: numbers, records: some }, output: results };
    const both = (one: typeof left, other: typeof numbers) =>
      merge(counting(), other, one.pipe(filterValues(() => false)));
    expect(broken(() => expectJoinLaws(both, { ...sides, seed: 7 })).message).toContain('law "repeatable"');
  });

  it('show the smallest input on which something throws, and keep its error', () => {
    const throwing = {
      operator: (value: number) => {
        if (value === 13) throw new Error('thirteen');
        return value;
      },
      model: (value: number) => value,
    };
    const tries: Record<string, () => void> = {
      'an operator': () =>
        expectLaws((source) => source.pipe(map((each) => ({ ...each, value: throwing.operator(each.value) }))), base),
      'a step': () => expectLaws((source) => source.pipe(mapValues(throwing.operator)), base),
      'a model': () =>
        expectLaws((source) => source.pipe(mapValues((n) => n)), {
          ...base,
          model: (all) => all.map(({ key = null, value }) => ({ key, value: throwing.operator(value ?? 0) })),
        }),
      'a sum': () =>
        expectLaws((source) => source.pipe(mapValues((n) => n)), {
          ...base,
          conserves: { ofRecord: ({ value }) => throwing.operator(value ?? 0), ofRow: ({ value }) => value ?? 0 },
        }),
    };
    for (const [what, check] of Object.entries(tries)) {
      const error = failure(check);
      expect(error.message, what).toMatch(/^law "\w+" cannot be tried: .*thirteen/);
      expect(error.message.match(/^driver\.pipe.*$/gm), what).toHaveLength(1);
      expect(error.message, what).toMatch(/^driver\.pipe.*value: 13/m);
      expect(error.message, what).toContain('(found with seed 7');
      expect(String(error.cause), what).toContain('thirteen');
    }
  });

  it('find a window, and the reach of a join, that is off by one', () => {
    const steps = records({ keys: ['a', 'b'], values: fc.nat(9), step: '4s', disorder: '3s' });
    const ten = tumbling({ size: '10s', grace: '1m' });
    const other = topic('others', { key: string(), value: int32() });
    for (let seed = 1; seed <= 2; seed += 1) {
      for (const size of ['9999ms', '10001ms'] as const) {
        const wrong = tumbling({ size, grace: '1m' });
        const options = { ...base, ...off, seed, records: steps };
        broken(() =>
          expectLaws((source) => source.pipe(windowBy(wrong, agg.count(), { store: 'counts' })), {
            ...options,
            model: (all) => windowByModel(ten, agg.count(), all).rows,
          }),
        );
      }
      const combine = (one: number | null, two: number | null) => (one ?? 0) + (two ?? 0);
      const rules = { within: '10s', grace: '1m', type: 'inner' } as const;
      const near = { ...rules, within: '9999ms', store: 'near' } as const;
      const sides = { left: { input: numbers, records: steps }, right: { input: other, records: steps } };
      broken(() =>
        expectJoinLaws((left, right) => left.pipe(joinStream(right, combine, near)), {
          ...sides,
          ...off,
          output: results,
          seed,
          model: (all) => joinStreamModel(rules, combine, all).rows,
        }),
      );
    }
  });

  it('leave out interruptions that are not needed, and interrupt long inputs everywhere', () => {
    const last = new Map<string, number>();
    const perKey = (source: typeof numbers) =>
      source.pipe(
        groupBy(({ key }) => key),
        mergeMap((group) => group.pipe(distinctUntilChanged((one, other) => one.value === other.value))),
      );
    for (let seed = 1; seed <= 2; seed += 1) {
      const options = { ...base, seed, batching: false, records: records({ keys: ['a', 'b'], values: fc.nat(3) }) };
      const { message } = broken(() => expectLaws(perKey, options));
      expect(message.match(/^driver\.(restart|rebalance|failNext)/gm)?.length, message).toBe(1);
    }
    const long = records({ keys: ['a'], values: fc.nat(9), maxLength: 200 });
    for (const sequence of fc.sample(operations(numbers, long), { numRuns: 200, seed: 7 })) {
      const at = sequence.findLastIndex((each) => each.do !== 'pipe');
      if (at >= 0) last.set(at > 100 ? 'far behind' : 'before', at);
    }
    expect([...last.keys()].toSorted()).toEqual(['before', 'far behind']);
  });

  it('refuse a law that cannot be judged, an operator on what is no topic, and no law at all', () => {
    expect(() => expectLaws(perTen, { ...base, ...off, order: true })).toThrow(/does not have the headers/);
    expect(() => expectLaws(perTen, { ...base, ...off })).toThrow(/no law/);
    expect(() => expectLaws(perTen, { ...base, laws: [] } as never)).toThrow(/laws/);
    const { key, name, use, value } = numbers;
    const bare = { key, name, use, value } as typeof numbers;
    expect(() => expectLaws((source) => source as never, { ...base, input: bare })).toThrow(/not a topic/);
  });
});
