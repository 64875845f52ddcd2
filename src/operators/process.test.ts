import {
  bytes,
  deadLetter,
  output as emits,
  json,
  keyValue,
  mapValues,
  process,
  processAll,
  type RecordStep,
  string,
  to,
  topic,
} from 'millrace';
import { TestDriver, type TestDriverOptions } from 'millrace/testing';
import type { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memoryStores } from '../state/memory-backend.ts';
import { dead, input, keyed, other, output, shown, thrown } from './operators.fixtures.ts';

const number = json<number>();
/** What user code throws in these tests. */
class Oops extends Error {}

type Feed = readonly (readonly [key: string, value: number, timestamp: number])[];

function feed(driver: TestDriver, records: Feed): void {
  for (const [key, value, timestamp] of records) driver.pipe(keyed, { key, value, timestamp });
}

function driverOf(pipeline: Observable<unknown>, options?: TestDriverOptions): TestDriver {
  return new TestDriver(pipeline, options);
}

describe('process', () => {
  it('keeps state per key, emits under the key at hand, and survives a restart', () => {
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'sum',
          stores: { total: keyValue('total', { value: number }) },
          next({ value }, { emit, key, stores }) {
            const total = (stores.total.get(key) ?? 0) + value;
            stores.total.set(key, total);
            emit(total);
            if (total > 5) stores.total.delete(key);
          },
        }),
        to(output),
      ),
    );
    for (const at of [1, 2, 3, 4]) {
      driver.pipe(keyed, { key: at === 2 ? 'b' : 'a', value: 2, timestamp: at });
      driver.restart();
    }
    expect(shown(driver.read(output))).toEqual(['a=2@1', 'b=2@2', 'a=4@3', 'a=6@4']);
    expect([...driver.store('total').entries()]).toEqual([{ key: 'b', value: 2, timestamp: 2 }]);
  });

  it('drops null keys, which move no time, and hands null values over', () => {
    const seen: unknown[] = [];
    const driver = driverOf(
      input.pipe(
        process({
          name: 'nulls',
          next({ value }, { drop, key, streamTime }) {
            seen.push([key, value, streamTime]);
            if (value === null) drop('nothing in it');
          },
        }),
      ),
    );
    driver.pipe(input, { key: null, value: 1, timestamp: 100 });
    driver.pipe(input, { key: 'a', value: null, timestamp: 10 });
    driver.pipe(input, { key: 'a', value: 1, timestamp: 5 });
    expect(seen).toEqual([
      ['a', null, 10],
      ['a', 1, 10],
    ]);
    expect(driver.tasks()[0]?.dropped).toBe(2);
  });

  it('emits to outputs by name, in the order of the calls, with timestamps and headers', () => {
    const step = processAll([keyed], {
      name: 'split',
      emits: emits<string>(),
      outputs: { odd: emits<number>(), unused: emits<number>() },
      next: [
        ({ timestamp, value }, { emit, outputs }) => {
          emit('first');
          outputs.odd(value, { timestamp: timestamp + 1, headers: [['h', null]] });
          outputs.unused(value);
          emit('second', { timestamp: 7 });
        },
      ],
    });
    const both = topic('both', { key: string(), value: json<unknown>() });
    const driver = new TestDriver([step.pipe(to(both)), step.outputs.odd.pipe(to(both))]);
    driver.pipe(keyed, { key: 'a', value: 1, timestamp: 5, headers: [['from', null]] });
    const rows = driver.read(both);
    expect(shown(rows)).toEqual(['a="first"@5', 'a=1@6', 'a="second"@7']);
    expect(rows.map(({ headers }) => headers[0]?.[0])).toEqual(['from', 'h', 'from']);
  });

  it('runs pipelines of its outputs inside of a pipe', () => {
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'split',
          outputs: { big: emits<number>() },
          into: { big: (records) => records.pipe(to(other)) },
          next: ({ value }, { emit, outputs }) => (value > 1 ? outputs.big(value) : emit(value)),
        }),
        to(output),
      ),
    );
    feed(driver, [
      ['a', 1, 0],
      ['a', 2, 0],
    ]);
    expect([shown(driver.read(output)), shown(driver.read(other))]).toEqual([['a=1@0'], ['a=2@0']]);
  });

  it('counts records as late, with the windows that they missed', () => {
    const driver = driverOf(
      keyed.pipe(process({ name: 'late', next: (_, { late }) => late([{ start: 0, end: 5 }], true) })),
    );
    feed(driver, [['a', 1, 9]]);
    const { late } = driver.late[0] ?? {};
    const missed = [{ start: 0, end: 5 }];
    expect(late).toEqual({ step: 'process(late)', streamTime: 9, reason: 'window closed', missed, partial: true });
    expect(driver.tasks()[0]?.late).toBe(1);
    const bare = driverOf(keyed.pipe(process({ name: 'late', next: (_, { late }) => late() })));
    feed(bare, [['a', 1, 9]]);
    expect([bare.tasks()[0]?.late, bare.late[0]?.late.missed]).toEqual([1, []]);
  });

  it('keeps copies of values', () => {
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'copies',
          stores: { list: keyValue('list', { value: json<number[]>() }) },
          emits: emits<number>(),
          next({ value }, { emit, key, stores }) {
            const list = stores.list.get(key) ?? [];
            stores.list.set(key, list);
            list.push(value);
            if (value > 1) stores.list.set(key, list);
            emit(stores.list.get(key)?.length ?? 0);
          },
        }),
        to(output),
      ),
    );
    feed(driver, [
      ['a', 1, 0],
      ['a', 2, 0],
      ['a', 3, 0],
      ['a', 1, 0],
    ]);
    expect(driver.read(output).map(({ value }) => value)).toEqual([0, 1, 2, 2]);
  });

  it('keeps copies of bytes too', () => {
    const seen: string[] = [];
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'bytes',
          stores: { last: keyValue('last', { value: bytes() }) },
          next({ value }, { key, stores }) {
            const given = Uint8Array.of(value);
            stores.last.set(key, given);
            given[0] = 99;
            stores.last.get(key)?.fill(98);
            for (const [, each] of stores.last.entries()) each.fill(97);
            seen.push(String(stores.last.get(key)));
          },
        }),
      ),
    );
    feed(driver, [['a', 1, 0]]);
    expect(seen).toEqual(['1']);
  });

  it('has its entries in the order of key bytes, changes of the call included', () => {
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'all',
          stores: {
            last: keyValue('last', { value: number }),
            byValue: keyValue('by', { key: number, value: string() }),
          },
          emits: emits<unknown>(),
          next({ value }, { emit, key, stores }) {
            stores.last.set(key, value);
            stores.byValue.set(value, key);
            emit([[...stores.last.entries()], stores.byValue.get(value)]);
          },
        }),
        to(output),
      ),
    );
    feed(driver, [['b', 1, 0]]);
    feed(driver, [['a', 2, 0]]);
    expect(driver.read(output).at(-1)?.value).toEqual([
      [
        ['a', 2],
        ['b', 1],
      ],
      'a',
    ]);
  });
});

describe('a throw', () => {
  const messy = (fails: (value: number) => boolean) =>
    keyed.pipe(
      process({
        name: 'messy',
        stores: { last: keyValue('last', { value: number }), count: keyValue('count', { value: number }) },
        timers: { tell: 'stream-time' },
        outputs: { side: emits<number>() },
        into: { side: (records) => records.pipe(to(other)) },
        next({ value, timestamp }, { drop, emit, key, late, outputs, stores, timers }) {
          stores.count.set(key, (stores.count.get(key) ?? 0) + 1);
          stores.last.set(key, value);
          stores.last.set(`${key}!`, value);
          stores.last.delete(key);
          timers.tell.set(timestamp + 10);
          timers.tell.add(timestamp + 20);
          emit(value);
          outputs.side(value);
          drop('half');
          late([{ start: 0, end: 1 }]);
          if (fails(value)) throw new Oops();
        },
        due: { tell: ({ time }, { emit }) => emit(time) },
      }),
    );
  const stores = ['messy', 'last', 'count'];

  it('leaves neither state nor output nor timers nor counts of its record', () => {
    const fails = (value: number): boolean => value < 0;
    const records: Feed = [
      ['a', 1, 1],
      ['a', -1, 2],
      ['b', -1, 3],
      ['b', 2, 4],
      ['a', -2, 5],
    ];
    const outcome = (kept: Feed): unknown => {
      const driver = driverOf(messy(fails).pipe(to(output)), { onRecordError: 'skip' });
      feed(driver, kept);
      const { dropped, late } = driver.tasks()[0] ?? {};
      const rows = [shown(driver.read(output)), shown(driver.read(other)), dropped, late];
      return [...rows, stores.map((name) => [...driver.store(name).entries()])];
    };
    expect(outcome(records)).toEqual(outcome(records.filter(([, value]) => !fails(value))));
  });

  it('goes to the record policy: fail names the record, a dead letter has it', () => {
    const driver = driverOf(messy(() => true).pipe(to(output)));
    const error = thrown(() => feed(driver, [['a', 1, 1]]));
    expect([error.code, error.step, error.offset]).toEqual(['ERR_USER_CODE', 'process(messy)', 0]);
    const lettered = driverOf(messy(() => true).pipe(to(output)), { onRecordError: deadLetter('dead') });
    feed(lettered, [['a', 1, 1]]);
    expect(shown(lettered.read(dead))).toEqual(['a=1@0']);
  });

  it('below the step says whether the step has taken the record into its state', () => {
    const applied = (changes: boolean): unknown => {
      const driver = driverOf(
        keyed.pipe(
          process({
            name: 'above',
            stores: { last: keyValue('last', { value: number }) },
            next({ value }, { emit, key, stores }) {
              if (changes) stores.last.set(key, value);
              emit(value);
            },
          }),
          mapValues(() => {
            throw new Oops();
          }),
        ),
        { onRecordError: deadLetter('dead') },
      );
      feed(driver, [['a', 1, 1]]);
      const names = driver.read(dead).flatMap(({ headers }) => headers.map(([name]) => name));
      return names.includes('millrace.applied');
    };
    expect([applied(true), applied(false)]).toEqual([true, false]);
  });

  it('of a value that a store cannot keep is one of the record that set it', () => {
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'strict',
          stores: { last: keyValue('last', { value: json<unknown>() }) },
          next({ value }, { emit, key, stores }) {
            stores.last.set(key, value > 1 ? new Map() : value);
            emit(value);
          },
        }),
        to(output),
      ),
      { onRecordError: 'skip' },
    );
    feed(driver, [
      ['a', 1, 0],
      ['a', 2, 0],
    ]);
    expect([...driver.store('last').entries()].map(({ value }) => value)).toEqual([1]);
    expect(driver.read(output)).toHaveLength(1);
  });

  it('in a timer leaves nothing of that, uses the timer up, and lets the others and the record be', () => {
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'timers',
          stores: { told: keyValue('told', { value: number }) },
          timers: { tell: 'stream-time' },
          next({ timestamp, value }, { emit, timers }) {
            emit(value);
            timers.tell.set(timestamp + 10);
          },
          due: {
            tell({ key, time }, { emit, stores, timers }) {
              stores.told.set(key, time);
              timers.tell.set(time + 1_000);
              emit(-time);
              if (key === 'b') throw new Oops('b');
            },
          },
        }),
        to(output),
      ),
      { onRecordError: deadLetter('dead') },
    );
    feed(driver, [
      ['a', 1, 0],
      ['b', 2, 1],
      ['c', 3, 2],
      ['d', 4, 100],
    ]);
    expect(shown(driver.read(output))).toEqual(['a=1@0', 'b=2@1', 'c=3@2', 'a=-10@10', 'c=-12@12', 'd=4@100']);
    expect([...driver.store('told').entries()].map(({ key }) => key)).toEqual(['a', 'c']);
    expect([...driver.store('timers').entries()].map(({ key, timestamp }) => [key, timestamp])).toEqual([
      ['d', 110],
      ['a', 1_010],
      ['c', 1_012],
    ]);
    const [letter] = driver.read(dead);
    const reason = letter?.headers.find(([name]) => name === 'millrace.error.message')?.[1] ?? undefined;
    expect(new TextDecoder().decode(reason)).toContain(
      'the timer tell failed: Error: b (this is a row of process(timers) with key "b", emitted at keyed/0@3)',
    );
    expect(shown(letter === undefined ? [] : [letter])).toEqual(['b={"timer":"tell","time":11}@0']);
  });

  it('refuses a step that is used after its function has returned', async () => {
    let kept: RecordStep<string, {}, {}, {}, number> | undefined;
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'kept',
          next(_, step) {
            kept = step;
          },
        }),
        to(output),
      ),
    );
    feed(driver, [['a', 1, 0]]);
    expect(thrown(() => kept?.emit(1)).code).toBe('ERR_OUTSIDE_TURN');
    expect(thrown(() => feed(driver, [['a', 1, 0]])).code).toBe('ERR_OUTSIDE_TURN');
  });
});

describe('timers on stream time', () => {
  const told = keyed.pipe(
    process({
      name: 'told',
      timers: { first: 'stream-time', second: 'stream-time' },
      emits: emits<string>(),
      next({ value, timestamp }, { emit, timers }) {
        emit('record');
        if (value === 0) timers.first.cancel();
        else if (value > 0) timers.first.add(timestamp + value);
        else timers.second.set(timestamp - value);
      },
      due: {
        first: ({ time }, { emit, streamTime }) => emit(`first at ${time}, seen ${streamTime}`),
        second: ({ time }, { emit }) => emit(`second at ${time}`),
      },
    }),
  );
  const rows = (records: Feed, restarts: boolean): string[] => {
    const driver = driverOf(told.pipe(to(output)));
    for (const record of records) {
      feed(driver, [record]);
      if (restarts) driver.restart();
    }
    return driver.read(output).map(({ key, value }) => `${key} ${value as string}`);
  };

  it('fire in the order of time, key bytes and name, before the record that moves time, also after a restart', () => {
    const records: Feed = [
      ['b', 10, 0],
      ['a', 10, 0],
      ['é', 10, 0],
      ['a', -10, 0],
      ['b', 5, 1],
      ['b', 10, 0],
      ['c', 100, 11],
    ];
    const expected = [
      ...['b', 'a', 'é', 'a', 'b', 'b'].map((key) => `${key} record`),
      'b first at 6, seen 11',
      'a first at 10, seen 11',
      'a second at 10',
      'b first at 10, seen 11',
      'é first at 10, seen 11',
      'c record',
    ];
    expect(rows(records, false)).toEqual(expected);
    expect(rows(records, true)).toEqual(expected);
  });

  it('fire at their time, not after it, and not without data', () => {
    expect(
      rows(
        [
          ['a', 10, 0],
          ['b', 1, 9],
          ['b', 0, 10],
        ],
        true,
      ),
    ).toEqual(['a record', 'b record', 'a first at 10, seen 10', 'b first at 10, seen 10', 'b record']);
  });

  it('are cancelled, and moved by set', () => {
    expect(
      rows(
        [
          ['a', 10, 0],
          ['a', 0, 1],
          ['b', -5, 1],
          ['b', -8, 2],
          ['c', 1, 50],
        ],
        true,
      ).slice(4),
    ).toEqual(['b second at 10', 'c record']);
  });

  it('that are set to a time that has come fire right after the function that set them', () => {
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'past',
          timers: { now: 'stream-time' },
          next({ value }, { emit, timers }) {
            timers.now.set(value);
            emit(-1);
          },
          // Sets itself again to the same time, which waits for the next record.
          due: {
            now({ time }, { emit, timers }) {
              emit(time);
              timers.now.set(time);
            },
          },
        }),
        to(output),
      ),
    );
    feed(driver, [['a', 3, 5]]);
    expect(driver.read(output).map(({ value }) => value)).toEqual([-1, 3]);
    feed(driver, [['b', 100, 5]]);
    expect(driver.read(output).map(({ key, value }) => [key, value])).toEqual([
      ['a', 3],
      ['b', -1],
      ['a', 3],
    ]);
  });

  it('fire at the end of a bounded run that closes, as far as they were set, and stay when it keeps', () => {
    const chain = keyed.pipe(
      process({
        name: 'chain',
        timers: { next: 'stream-time' },
        next: ({ timestamp }, { timers }) => timers.next.set(timestamp + 10),
        due: {
          next({ time }, { emit, timers }) {
            emit(time);
            timers.next.set(time + 10);
          },
        },
      }),
    );
    const closing = driverOf(chain.pipe(to(output)));
    feed(closing, [
      ['a', 1, 0],
      ['b', 1, 25],
    ]);
    closing.end('close');
    expect(closing.read(output).map(({ key, value }) => [key, value])).toEqual([
      ['a', 10],
      ['a', 20],
      ['a', 30],
      ['b', 35],
    ]);
    const keeping = driverOf(chain.pipe(to(output)));
    feed(keeping, [['a', 1, 0]]);
    keeping.end('keep');
    expect([keeping.read(output).length, [...keeping.store('chain').entries()].length]).toEqual([0, 1]);
  });

  it('refuse a time that is none, as a failure of the record', () => {
    const set = keyed.pipe(
      process({
        name: 'set',
        timers: { t: 'stream-time' },
        due: { t() {} },
        next: ({ value }, { timers }) => timers.t.set(value),
      }),
    );
    for (const bad of [-1, 0.5]) expect(thrown(() => feed(driverOf(set), [['a', bad, 0]])).code).toBe('ERR_TIMESTAMP');
    expect(() => feed(driverOf(set), [['a', 1, 0]])).not.toThrow();
  });
});

describe('intervals', () => {
  const ticks = (of: 'stream-time' | 'wall-clock') =>
    keyed.pipe(
      process({
        name: 'ticks',
        stores: { last: keyValue('last', { value: number }) },
        timers: { tick: { every: '10ms', of } },
        emits: emits<unknown>(),
        next: ({ value }, { key, stores }) => stores.last.set(key, value),
        due: {
          tick({ time }, { emit, stores }) {
            for (const [key, value] of stores.last.entries()) emit([time, value], { key });
          },
        },
      }),
    );

  it('of stream time are aligned to 0, fire as soon as there is data, and once for a jump', () => {
    const calls: number[] = [];
    const driver = driverOf(
      keyed.pipe(
        process({
          name: 'ticks',
          timers: { tick: { every: '10ms', of: 'stream-time' } },
          next() {},
          due: { tick: ({ time }) => void calls.push(time) },
        }),
      ),
    );
    for (const timestamp of [3, 5, 9, 10, 12, 47, 49, 50, 44]) {
      feed(driver, [['a', 1, timestamp]]);
      driver.restart();
    }
    expect(calls).toEqual([3, 10, 47, 50]);
  });

  it('see the stores, and emit under the keys of those', () => {
    const driver = driverOf(ticks('stream-time').pipe(to(output)), { partitions: 3 });
    feed(driver, [
      ['a', 1, 1],
      ['b', 2, 1],
    ]);
    feed(driver, [
      ['a', 3, 20],
      ['b', 3, 20],
    ]);
    expect(new Set(shown(driver.read(output)))).toEqual(new Set(['a=[20,1]@20', 'b=[20,2]@20']));
  });

  it('of the clock on the wall begin an interval after the start, and fire once for a jump', () => {
    const driver = driverOf(ticks('wall-clock').pipe(to(output)), { startTime: 1_004 });
    feed(driver, [['a', 1, 0]]);
    for (const ms of [9, 1, 9, 26, 5] as const) driver.advanceTime(`${ms}ms`);
    expect(driver.read(output).map(({ value }) => value)).toEqual([
      [1_014, 1],
      [1_049, 1],
      [1_054, 1],
    ]);
  });

  it('need a key for what they emit', () => {
    const bare = keyed.pipe(
      process({
        name: 'bare',
        timers: { tick: { every: '10ms', of: 'stream-time' } },
        emits: emits<number>(),
        next() {},
        due: { tick: ({ time }, step) => (step.emit as (value: number) => void)(time) },
      }),
    );
    expect(thrown(() => feed(driverOf(bare), [['a', 1, 1]])).code).toBe('ERR_NO_KEY');
  });
});

describe('timers on the clock on the wall', () => {
  const silence = keyed.pipe(
    process({
      name: 'silence',
      timers: { silent: 'wall-clock' },
      emits: emits<number>(),
      next: ({ value }, { now, timers }) => (value > 0 ? timers.silent.set(now + value) : timers.silent.cancel()),
      due: { silent: ({ time }, { emit }) => emit(time) },
    }),
  );

  it('fire when it comes to their time, in the order of time and key, without data', () => {
    const driver = driverOf(silence.pipe(to(output)));
    feed(driver, [
      ['b', 20, 0],
      ['a', 20, 0],
      ['c', 10, 0],
    ]);
    driver.advanceTime('9ms');
    expect(driver.read(output)).toEqual([]);
    driver.advanceTime('1ms');
    expect(shown(driver.read(output))).toEqual(['c=10@10']);
    driver.advanceTime('1h');
    expect(shown(driver.read(output))).toEqual(['a=20@20', 'b=20@20']);
    driver.advanceTime('1h');
    expect(driver.read(output)).toEqual([]);
  });

  it('are moved and cancelled, and survive a restart, also when they are due by then', () => {
    const driver = driverOf(silence.pipe(to(output)));
    feed(driver, [
      ['a', 10, 0],
      ['b', 10, 0],
      ['c', 50, 0],
    ]);
    driver.advanceTime('5ms');
    feed(driver, [
      ['a', 10, 0],
      ['b', 0, 0],
    ]);
    driver.restart();
    driver.advanceTime('6ms');
    expect(driver.read(output)).toEqual([]);
    driver.advanceTime('4ms');
    expect(shown(driver.read(output))).toEqual(['a=15@15']);
    driver.clock.advance(100);
    driver.restart();
    driver.advanceTime('0ms');
    expect(shown(driver.read(output))).toEqual(['c=50@50']);
    driver.restart();
    driver.advanceTime('1h');
    expect(driver.read(output)).toEqual([]);
  });

  it('fire once more where their effects were lost, although the clock of the driver stands still', () => {
    const lost = {
      restart: (driver: TestDriver) => driver.restart(),
      rebalance: (driver: TestDriver) => driver.rebalance('lost'),
    };
    for (const [how, lose] of Object.entries(lost)) {
      const driver = driverOf(silence.pipe(to(output)), { autoCommit: false });
      feed(driver, [['a', 10, 0]]);
      driver.commit();
      driver.advanceTime('10ms');
      lose(driver);
      driver.commit();
      expect(shown(driver.read(output)), how).toEqual(['a=10@10']);
    }
    const driver = driverOf(silence.pipe(to(output)));
    feed(driver, [['a', 10, 0]]);
    driver.failNext('write');
    driver.advanceTime('10ms');
    expect(shown(driver.read(output)), 'failed write').toEqual(['a=10@10']);
  });

  it('that set themselves for now for ever are refused by the driver, which would not end', () => {
    const endless = keyed.pipe(
      process({
        name: 'endless',
        timers: { soon: 'wall-clock' },
        next: (_, { now, timers }) => timers.soon.set(now),
        due: { soon: (_, { now, timers }) => timers.soon.set(now) },
      }),
    );
    const driver = driverOf(endless.pipe(to(output)));
    expect(thrown(() => driver.pipe(keyed, { key: 'a', value: 1, timestamp: 0 })).code).toBe('ERR_TIMERS_REPEAT');
  });

  it('may set themselves again, once for each time on the way', () => {
    const beat = keyed.pipe(
      process({
        name: 'beat',
        timers: { beat: 'wall-clock' },
        next: (_, { now, timers }) => timers.beat.set(now + 10),
        due: {
          beat({ time }, { emit, timers }) {
            emit(time);
            timers.beat.set(time + 10);
          },
        },
      }),
    );
    const driver = driverOf(beat.pipe(to(output)));
    feed(driver, [['a', 1, 0]]);
    driver.advanceTime('35ms');
    driver.advanceTime('5ms');
    expect(driver.read(output).map(({ value }) => value)).toEqual([10, 20, 30, 40]);
  });

  it('that are due all at once fire in turns of a thousand, in their order', () => {
    const driver = driverOf(silence.pipe(to(output)));
    const keys = Array.from({ length: 2_500 }, (_, at) => `k${String(at).padStart(4, '0')}`);
    driver.pipeAll(
      keyed,
      keys.map((key) => ({ key, value: 10, timestamp: 0 })),
    );
    driver.advanceTime('10ms');
    expect(driver.read(output).map(({ key }) => key)).toEqual(keys);
  });

  it('do not fire when the input has ended, and wait for the next run', () => {
    const driver = driverOf(silence.pipe(to(output)));
    feed(driver, [['a', 10, 0]]);
    driver.end('close');
    driver.advanceTime('1h');
    expect(driver.read(output)).toEqual([]);
    driver.restart();
    driver.advanceTime('0ms');
    expect(shown(driver.read(output))).toEqual(['a=10@10']);
  });

  it('failing, leave nothing, and go to the record policy', () => {
    const failing = keyed.pipe(
      process({
        name: 'failing',
        timers: { t: 'wall-clock' },
        next: (_, { now, timers }) => timers.t.set(now + 1),
        due: {
          t({ key }, { emit }) {
            emit(1);
            if (key === 'a') throw new Oops('a');
          },
        },
      }),
    );
    const driver = driverOf(failing.pipe(to(output)), { onRecordError: 'skip' });
    feed(driver, [
      ['a', 1, 0],
      ['b', 1, 0],
    ]);
    driver.advanceTime('1ms');
    expect(shown(driver.read(output))).toEqual(['b=1@1']);
    expect(driver.tasks()[0]?.skipped).toBe(1);
    const ends = driverOf(failing.pipe(to(output)));
    feed(ends, [['a', 1, 0]]);
    expect(thrown(() => ends.advanceTime('1ms')).code).toBe('ERR_USER_CODE');
  });
});

describe('what a step says of itself', () => {
  const next = (): void => {};
  const refused = (definition: object): string => {
    const error = thrown(() => process(definition as never));
    return `${error.code} ${error.message}`;
  };

  it('is checked', () => {
    expect(refused({ next })).toContain('ERR_STORE_NAME process has the store name undefined');
    expect(refused({ name: 'a' })).toContain('ERR_OPTION process(a): next is undefined');
    expect(refused({ name: 'a', next, store: {} })).toContain('did you mean stores?');
    expect(refused({ name: 'a', next, stores: { s: {} } })).toContain('stores.s is an object');
    expect(refused({ name: 'a', next, timers: { t: 'event-time' } })).toContain('due.t is undefined');
    expect(refused({ name: 'a', next, timers: { t: 'event-time' }, due: { t: next } })).toContain(
      'timers.t is "event-time"',
    );
    expect(refused({ name: 'a', next, timers: { t: { every: '0s', of: 'wall-clock' } }, due: { t: next } })).toContain(
      'timers.t.every',
    );
    expect(refused({ name: 'a', next, due: { t: next } })).toContain('a timer with that name');
    expect(refused({ name: 'a', next, into: { t: next } })).toContain('into.t');
    expect(refused({ name: 'a', next, version: 0.5 })).toContain('version is 0.5');
    expect(refused({ name: 'a', next: async () => {} })).toContain('ERR_ASYNC_FUNCTION process(a): next');
  });

  it('refuses a promise that a function returns', () => {
    const driver = driverOf(keyed.pipe(process({ name: 'a', next: (() => Promise.resolve()) as never })));
    expect(thrown(() => feed(driver, [['a', 1, 0]])).code).toBe('ERR_ASYNC_FUNCTION');
  });

  it('goes with its state: name, version, stores and timers that were set may not be lost', () => {
    const at = (name: string, version: number, timer: string, value: unknown = number): Observable<unknown> =>
      keyed.pipe(
        process({
          name,
          version,
          stores: { last: keyValue('last', { value: value as typeof number }) },
          timers: { [timer]: 'stream-time' },
          next(record, { key, stores, timers }) {
            stores.last.set(key, 1);
            timers[timer]?.set(record.timestamp + 5);
          },
          due: { [timer]() {} },
        }),
      );
    const codeOf = (changed: Observable<unknown>): string | undefined => {
      const { stores } = kept;
      try {
        driverOf(changed, { stores });
        return undefined;
      } catch (error) {
        return (error as { readonly code?: string }).code;
      }
    };
    const kept = startedWith(at('a', 1, 't'));
    expect(codeOf(at('a', 1, 't'))).toBeUndefined();
    expect(codeOf(at('a', 2, 't'))).toBe('ERR_STORE_INCOMPATIBLE');
    expect(codeOf(at('b', 1, 't'))).toBe('ERR_STORE_INCOMPATIBLE');
    expect(codeOf(at('a', 1, 'u'))).toBe('ERR_STORE_INCOMPATIBLE');
    expect(codeOf(at('a', 1, 't', string()))).toBe('ERR_STORE_INCOMPATIBLE');
  });
});

function startedWith(pipeline: Observable<unknown>): { readonly stores: ReturnType<typeof memoryStores> } {
  const stores = memoryStores();
  feed(driverOf(pipeline, { stores }), [['a', 1, 0]]);
  return { stores };
}
