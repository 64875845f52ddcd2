import fc from 'fast-check';
import {
  agg,
  globalTable,
  int32,
  joinStream,
  joinTable,
  json,
  keyValue,
  mapValues,
  process,
  type StreamRecord,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { expectJoinLaws, expectLaws, records } from 'millrace/testing/fast-check';
import { joinTableModel, windowByModel } from 'millrace/testing/models';
import { map, merge, scan } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { broken } from './failures.fixtures.ts';

const numbers = topic('numbers', { key: string(), value: int32() });
const others = topic('others', { key: string(), value: int32() });
const results = topic('results', { key: string(), value: int32() });
const some = records({ keys: ['a', 'b'], values: fc.nat(9), step: '4s' });
const base = { input: numbers, output: results, records: some, seed: 7 };
const off = { batching: false, restart: false };

describe('laws with a wall clock that advances', () => {
  it('hold for a timer that is due at once, as in an application', () => {
    const atOnce = (source: typeof numbers) =>
      source.pipe(
        process({
          name: 'at-once',
          timers: { soon: 'wall-clock' },
          next({ value }, { emit, now, timers }) {
            emit(value);
            timers.soon.set(now);
          },
          due: { soon: (_, { emit }) => emit(-1) },
        }),
      );
    // In a batch it fires once for all records of a key.
    expectLaws(atOnce, { ...base, batching: false, advance: '20s', runs: 50 });
  });

  const silence = (source: typeof numbers) =>
    source.pipe(
      process({
        name: 'silence',
        timers: { silent: 'wall-clock' },
        next({ value }, { now, timers }) {
          timers.silent.set(now + 1_000 * (value + 1));
        },
        due: { silent: (_, { emit, now }) => emit(now) },
      }),
    );

  it('hold for timers of keys, which a restart keeps', () => {
    expectLaws(silence, { ...base, advance: '20s', partitions: true, runs: 50 });
  });

  it('find what an operator keeps in a variable of its own, by building it anew', () => {
    const remembering = (source: typeof numbers) => {
      const last = new Map<string, number>();
      return source.pipe(
        process({
          name: 'remembering',
          timers: { quiet: 'wall-clock' },
          next({ value }, { key, now, timers }) {
            last.set(key, value);
            timers.quiet.set(now + 5_000);
          },
          due: { quiet: ({ key }, { emit }) => emit(last.get(key) ?? -1) },
        }),
      );
    };
    const { message } = broken(() => expectLaws(remembering, { ...base, advance: '20s' }));
    expect(message).toMatch(/law "restart" does not hold: after a restart with a pipeline that is built anew/);
    expect(message).toMatch(/^driver\.restart\('(crash|stop)', anotherPipeline\);$/m);
    expect(message).toMatch(/^ {2}\{ key: '[ab]', value: -1/m);
  });

  it('find an interval that a restart begins again', () => {
    const beat = (source: typeof numbers) =>
      source.pipe(
        process({
          name: 'beat',
          timers: { beat: { every: '10s', of: 'wall-clock' } },
          next: () => undefined,
          due: { beat: (_, { emit, now }) => emit(now, { key: 'a' }) },
        }),
      );
    const { message } = broken(() => expectLaws(beat, { ...base, batching: false, advance: '20s' }));
    expect(message).toContain('law "restart" does not hold');
    expect(message).toMatch(/^driver\.advanceTime\('\d+ms'\);$/m);
    expect(message.match(/^driver\.(restart|rebalance|failNext)/gm)).toHaveLength(1);
    expect(message).not.toMatch(/^driver\.pipe/m);
  });

  it('compare nothing while it stands still', () => {
    expect(() => expectLaws(silence, { ...base, runs: 30 })).toThrow(/compared nothing/);
  });
});

describe('laws compare', () => {
  it('whose headers a row has, although nothing else differs', () => {
    const first = scan((kept: StreamRecord<string, number>, record: StreamRecord<string, number>) => {
      return { ...record, headers: kept.headers };
    });
    const { message } = broken(() => expectLaws((source) => source.pipe(first), { ...base, batching: false }));
    expect(message).toContain('law "restart" does not hold');
    expect(message).toContain(`headers: [['millrace.test.number', Uint8Array.of(48)]] }`);
    const [, ...programs] = message.split('const driver');
    expect(programs.join(''), 'shown where it is needed').toContain(`headers: [['millrace.test.number'`);
    const counted = scan((kept: StreamRecord<string, number>, record: StreamRecord<string, number>) => {
      return { ...record, value: kept.value + 1 };
    });
    const other = broken(() => expectLaws((source) => source.pipe(counted), base)).message;
    expect(other, 'and left out elsewhere').not.toContain('millrace.test.number');
  });

  it('headers', () => {
    const numbered = map((record: StreamRecord<string, number>, at: number) => {
      return { ...record, headers: [['at', Uint8Array.of(at)]] as const };
    });
    const { message } = broken(() => expectLaws((source) => source.pipe(numbered as never), base));
    expect(message).toContain('law "restart" does not hold');
    expect(message).toMatch(/^ {2}\{ key: 'a', value: 0, timestamp: \d+, headers: \[\['at', /m);
  });

  it('late records', () => {
    const perTen = (source: typeof numbers) =>
      source.pipe(windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'counts' }));
    const late = records({ keys: ['a', 'b'], values: fc.nat(9), step: '4s', late: '1m' });
    const one = fc.constant([
      { key: 'a', value: 0, timestamp: 15_000 },
      ...['b', 'c', 'd', 'e'].map((key) => ({ key, value: 0, timestamp: 1_000 })),
    ]);
    const { message } = broken(() => expectLaws(perTen, { ...base, ...off, records: one, partitions: true }));
    expect(message).toContain('law "partitions" does not hold');
    expect(message).toMatch(/^ {2}late: \{ key: '[b-e]', value: 0, timestamp: \d+ \}$/m);
    expect(message).toMatch(/^console\.log\(driver\.late\);$/m);
    expectLaws(perTen, { ...base, records: late, runs: 50 });
  });

  it('dead letters', () => {
    const failing = (source: typeof numbers) =>
      source.pipe(
        mapValues((n) => {
          if (n > 5) throw new Error('too large');
          return n;
        }),
      );
    const rules = { ...base, onRecordError: { deadLetter: 'letters' }, runs: 50 };
    expectLaws(failing, { ...rules, partitions: true });
    let tries = 0;
    const again = (source: typeof numbers) =>
      source.pipe(
        process({
          name: 'again',
          next({ value }) {
            tries += 1;
            if (value === 0 && tries % 2 === 1) throw new Error('odd');
          },
        }),
      );
    const { message } = broken(() => expectLaws(again, rules));
    expect(message).toContain('law "repeatable" does not hold');
    expect(message).toContain(`  dead letter: { code: 'ERR_USER_CODE', step: 'process(again)', key: Uint8Array.of(`);
    expect(message).toMatch(/^console\.log\(driver\.deadLetters\);$/m);
  });
});

describe('laws do not compare', () => {
  it('the order of dead letters and late records of several stages, which there is none of', () => {
    const middle = topic('middle', { key: string(), value: int32() });
    const refuse = (rest: number) => (n: number) => {
      if (n % 5 === rest) throw new Error(`rest ${rest}`);
      return n;
    };
    const twice = (source: typeof numbers) => source.pipe(mapValues(refuse(1)), through(middle), mapValues(refuse(2)));
    expectLaws(twice, { ...base, onRecordError: { deadLetter: 'letters' } });
    const late = records({ keys: ['a'], values: fc.nat(9), step: '4s', late: '1m' });
    const sum = agg.sum((n: number) => n);
    const both = [
      numbers.pipe(windowBy(tumbling({ size: '5s', grace: '0s' }), sum, { store: 'per-5s' }), to(results)),
      numbers.pipe(
        through(middle),
        windowBy(tumbling({ size: '10s', grace: '0s' }), sum, { store: 'per-10s' }),
        to(results),
      ),
    ];
    expectLaws(both, { ...base, records: late, runs: 200 });
  });
});

describe('laws find', () => {
  it('what drops a record that is exactly as far behind as the law allows', () => {
    const drops = (limit: number) => (source: typeof numbers) =>
      source.pipe(
        process({
          name: 'drops',
          stores: { highest: keyValue('highest', { value: json<number>() }) },
          next({ timestamp, value }, { emit, key, stores }) {
            const highest = Math.max(stores.highest.get(key) ?? 0, timestamp);
            stores.highest.set(key, highest);
            if (highest - timestamp < limit) emit(value);
          },
        }),
      );
    const one = { ...base, ...off, records: records({ keys: ['a'], values: fc.nat(9), step: '4s' }) };
    expect(broken(() => expectLaws(drops(4_000), { ...one, reorder: '4s' })).message).toContain('law "reorder"');
    expectLaws(drops(4_001), { ...one, reorder: '4s' });
  });

  it('a grace that is off by one, by the record that closes a window', () => {
    const late = records({ keys: ['a', 'b'], values: fc.nat(9), step: '4s', disorder: '3s', late: '20s' });
    const right = tumbling({ size: '10s', grace: '3s' });
    for (const grace of ['2999ms', '3001ms'] as const) {
      const wrong = tumbling({ size: '10s', grace });
      const { message } = broken(() =>
        expectLaws((source) => source.pipe(windowBy(wrong, agg.count(), { store: 'counts' })), {
          ...base,
          ...off,
          runs: 400,
          records: late,
          model: (all) => windowByModel(right, agg.count(), all),
        }),
      );
      expect(message).toMatch(/^ {2}(after record \d+|at the end): \{ key: '[ab]', value: \d+/m);
    }
    expectLaws((source) => source.pipe(windowBy(right, agg.count(), { store: 'counts' })), {
      ...base,
      ...off,
      records: late,
      model: (all) => windowByModel(right, agg.count(), all),
    });
  });
});

describe('laws of two inputs', () => {
  const sides = { left: { input: numbers, records: some }, right: { input: others, records: some } };

  it('say whether arrival matters', () => {
    const disorder = { disorder: '3s', step: '4s' } as const;
    const mixed = records({ keys: ['a'], values: fc.nat(9), ...disorder });
    const both = { left: { input: numbers, records: mixed }, right: { input: others, records: mixed } };
    const pairs = topic('pairs', { key: string(), value: json<(number | null)[]>() });
    const rules = { within: '5s', grace: '1m', type: 'outer', store: 'pairs' } as const;
    expectJoinLaws((left, right) => left.pipe(joinStream(right, (one, two) => [one, two], rules)), {
      ...both,
      ...off,
      output: pairs,
      seed: 7,
      reorder: '30s',
    });
    const prices = table('prices', { key: string(), value: int32() });
    const { message } = broken(() =>
      expectJoinLaws((left, right) => left.pipe(joinTable(right, (one, two) => one * two)), {
        left: both.left,
        right: { input: prices, records: mixed },
        ...off,
        output: results,
        seed: 7,
        reorder: '30s',
      }),
    );
    expect(message).toContain('law "reorder" does not hold');
  });

  it('say whether records are lost, and whether they are in order', () => {
    const amounts = {
      ofRecord: ({ side, value }: { side: string; value: number | null }) =>
        (side === 'left' ? 1000 : 1) * (value ?? 0),
      ofRow: ({ value }: { value: number | null }) => value ?? 0,
    };
    const weighed = (left: typeof numbers, right: typeof others) => merge(left.pipe(mapValues((n) => n * 1000)), right);
    expectJoinLaws(weighed, { ...sides, ...off, output: results, seed: 7, conserves: amounts, order: true });
    const swapped = (left: typeof numbers, right: typeof others) => weighed(right, left);
    const { message } = broken(() =>
      expectJoinLaws(swapped, { ...sides, ...off, output: results, seed: 7, conserves: amounts }),
    );
    expect(message).toContain('law "conserves" does not hold');
  });

  it('infer the types of both sides from the topics, whatever the generators make', () => {
    const clicks = topic('clicks', { key: string(), value: json<{ url: string }>() });
    const users = table('users', { key: string(), value: json<{ name: string }>() });
    const lines = topic('lines', { key: string(), value: string() });
    expectJoinLaws((left, right) => left.pipe(joinTable(right, ({ url }, { name }) => `${name} ${url}`)), {
      left: {
        input: clicks,
        records: records({ keys: ['a'], values: fc.record({ url: fc.constantFrom('/', '/cart') }) }),
      },
      right: {
        input: users,
        records: records({ keys: ['a'], values: fc.record({ name: fc.constantFrom('ada', 'bob') }) }),
      },
      output: lines,
      seed: 7,
      runs: 20,
      model: (all) => joinTableModel({}, ({ url }, user) => `${user?.name} ${url}`, all),
    });
  });

  it('refuse to interrupt a join with a global table, which takes no part in commits', () => {
    const rates = globalTable('rates', { key: string(), value: int32() });
    const options = { left: sides.left, right: { input: rates, records: some }, output: results, seed: 7, runs: 20 };
    const join = (left: typeof numbers, right: typeof rates) =>
      left.pipe(joinTable(right, (one, two) => one * two, { key: (_, { key }) => key }));
    expect(() => expectJoinLaws(join, options)).toThrow(/global table.*restart: false/);
    expectJoinLaws(join, { ...options, restart: false });
  });
});
