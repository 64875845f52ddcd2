import {
  agg,
  aggregate,
  countByKey,
  deadLetter,
  globalTable,
  int32,
  joinTable,
  json,
  keyBy,
  mapAsync,
  mapValues,
  string,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
import { tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { memoryStores } from '../state/memory-backend.ts';

const input = topic('input', { key: string(), value: json<number>() });
const output = topic('output', { key: string(), value: json<number>() });
const counted = input.pipe(countByKey({ store: 'counts' }), to(output));
const at = (key: string, timestamp = 0) => ({ key, value: 1, timestamp });

describe('the test driver', () => {
  it('has done what a record causes when pipe returns', () => {
    const driver = new TestDriver(counted);
    driver.pipe(input, at('a', 5));
    expect(driver.read(output)).toMatchObject([
      { key: 'a', value: 1, timestamp: 5, topic: 'output', partition: 0, offset: 0 },
    ]);
    expect(driver.read(output), 'each row is read once').toEqual([]);
  });

  it('stamps records with its clock, which moves only when told to', () => {
    const driver = new TestDriver(input.pipe(to(output)), { startTime: 1_000 });
    driver.pipe(input, { key: 'a', value: 1 });
    driver.advanceTime('5s');
    driver.pipe(input, { key: 'a', value: 2 });
    expect(driver.read(output).map(({ timestamp }) => timestamp)).toEqual([1_000, 6_000]);
    expect(() => driver.advanceTime('soon' as '1s')).toThrow(/duration/);
  });

  it('refuses topics that the pipeline does not know, with the one that may have been meant', () => {
    const driver = new TestDriver(counted);
    const typo = topic('inptu', { key: string(), value: json<number>() });
    expect(() => driver.pipe(typo, at('a'))).toThrow(/does not read topic inptu.*did you mean input\?/);
    expect(() => driver.pipeAll(output, [at('a')]), 'one that it only writes').toThrow(/does not read topic output/);
    expect(() => driver.read(typo)).toThrow(expect.objectContaining({ code: 'ERR_UNKNOWN_TOPIC', topic: 'inptu' }));
    expect(driver.read(input), 'what it reads can be read').toEqual([]);
  });

  it('looks into stores by name', () => {
    const driver = new TestDriver(counted, { partitions: 2 });
    driver.pipeAll(input, [at('a'), at('b'), at('a')]);
    const entries = [...driver.store('counts').entries()].map(({ key, value }) => [key, value]);
    expect(new Map(entries as [string, number][])).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    expect(() => [...driver.store('count').entries()]).toThrow(/no store count.*its stores are counts/);
    expect(() => new TestDriver(input.pipe(to(output))).store('x')).toThrow(/it has no stores/);
  });

  it('gives the same handles of stores as an application', () => {
    const driver = new TestDriver(counted, { partitions: 2 });
    driver.pipeAll(input, [at('a'), at('b'), at('a')]);
    const counts = driver.store<string, number>('counts');
    expect([counts.get('a')?.value, counts.get('c'), counts.partitions]).toEqual([2, undefined, [0, 1]]);
    driver.pipe(input, at('c'));
    driver.restart();
    expect(counts.get('c')?.value, 'a handle outlives the tasks').toBe(1);
    expect(() => [...counts.windowsOf('a')]).toThrow(expect.objectContaining({ code: 'ERR_OPTION' }));
  });

  it('has handles of topics, knows the pipeline and its stream time', () => {
    const driver = new TestDriver(counted);
    const [numbers, results] = [driver.topic(input), driver.topic(output)];
    expect(driver.streamTime()).toBeUndefined();
    numbers.pipe(at('a', 7));
    numbers.pipeAll([at('a', 5), at('b', 6)]);
    expect(results.read().map(({ value }) => value)).toEqual([1, 2, 1]);
    expect([driver.streamTime(), driver.streamTime(input), driver.streamTime(output)]).toEqual([7, 7, undefined]);
    expect(driver.topology.stages.map(({ inputs, outputs }) => [inputs, outputs])).toEqual([[['input'], ['output']]]);
  });

  it('takes what is piped in a batch by timestamp, and everything else in the order of the calls', () => {
    const fill = (driver: TestDriver): void => {
      driver.pipe(input, { ...at('a', 20), partition: 0 });
      driver.pipe(input, { ...at('b', 10), partition: 1 });
      driver.pipe(input, { ...at('c', 15), partition: 0 });
    };
    const order = (use: (driver: TestDriver) => void): string[] => {
      const keys: string[] = [];
      const driver = new TestDriver(
        input.pipe(
          tap(({ key }) => void keys.push(key)),
          to(output),
        ),
        { partitions: 2 },
      );
      use(driver);
      return keys;
    };
    expect(order(fill)).toEqual(['a', 'b', 'c']);
    expect(
      order((driver) => driver.batch(() => driver.batch(() => fill(driver)))),
      'in a partition in its order',
    ).toEqual(['b', 'a', 'c']);
    const driver = new TestDriver(counted);
    const failing = (): void => {
      driver.pipe(input, at('a'));
      throw new Error('in between');
    };
    expect(() => driver.batch(failing)).toThrow('in between');
    driver.pipe(input, at('a'));
    expect(driver.read(output).map(({ value }) => value)).toEqual([1, 2]);
  });

  it('commits when told to, where it does not by itself', () => {
    const driver = new TestDriver(counted, { autoCommit: false });
    driver.pipe(input, at('a'));
    driver.advanceTime('365d');
    expect(driver.read(output)).toEqual([]);
    driver.restart();
    driver.commit();
    expect(driver.read(output).map(({ value }) => value)).toEqual([1]);
    driver.pipe(input, at('a'));
    driver.restart('stop');
    expect(driver.read(output).map(({ value }) => value)).toEqual([2]);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 0, lag: 0 });
    driver.pipe(input, at('a'));
    driver.rebalance();
    expect(driver.read(output).map(({ value }) => value)).toEqual([3]);
    driver.pipe(input, at('a'));
    driver.rebalance('lost');
    expect(driver.read(output)).toEqual([]);
    expect(driver.tasks()[0], 'done again').toMatchObject({ recordsIn: 1, lag: 0 });
    driver.commit();
    expect(driver.read(output).map(({ value }) => value)).toEqual([4]);
  });

  it('commits through all stages', () => {
    const between = topic('between', { key: string(), value: json<number>() });
    const driver = new TestDriver(
      input.pipe(
        keyBy((n) => String(n)),
        through(between),
        countByKey({ store: 'counts' }),
        to(output),
      ),
      { partitions: 2, autoCommit: false },
    );
    driver.pipeAll(input, [at('a'), at('b')]);
    expect(driver.read(between)).toEqual([]);
    driver.commit();
    expect(driver.read(output).map(({ key, value }) => [key, value])).toEqual([
      ['1', 1],
      ['1', 2],
    ]);
  });

  it.each(['write', 'commit', 'reply'] as const)(
    'counts nothing twice and loses nothing after a failed %s',
    (fault) => {
      const windowed = input.pipe(
        windowBy(tumbling({ size: '10ms', grace: '0ms' }), agg.count(), { store: 'windows' }),
        to(output),
      );
      const driver = new TestDriver(windowed, { partitions: 2 });
      const calls = [at('a', 5), at('a', 6), at('a', 10), at('a', 4), at('a', 20)];
      for (const record of calls) {
        driver.failNext(fault);
        driver.pipe(input, record);
      }
      expect(driver.read(output).map(({ timestamp, value }) => [timestamp, value])).toEqual([
        [6, 2],
        [10, 1],
      ]);
      expect(driver.late.map(({ timestamp }) => timestamp)).toEqual([4]);
    },
  );

  it('shows what policies have put aside', () => {
    const bad = deadLetter('bad');
    const picky = input.pipe(
      mapValues((n) => {
        if (n < 0) throw new Error('negative');
        return n;
      }),
      to(output),
    );
    const driver = new TestDriver(picky, { onRecordError: bad, startTime: 77 });
    expect(driver.deadLetters).toEqual([]);
    driver.pipe(input, { key: 'a', value: -1 });
    driver.pipe(input, { key: 'a', value: 1 });
    expect(driver.deadLetters).toMatchObject([
      {
        topic: 'bad',
        key: new Uint8Array(Buffer.from('a')),
        value: new Uint8Array(Buffer.from('-1')),
        timestamp: 77,
        code: 'ERR_USER_CODE',
        step: 'mapValues',
        origin: { topic: 'input', partition: 0, offset: 0 },
      },
    ]);
    expect(driver.deadLetters[0]?.message).toContain('negative');
    expect(driver.deadLetters, 'all of them each time').toHaveLength(1);
  });

  it('restarts from the last commit, which every call ends with', () => {
    const driver = new TestDriver(counted);
    driver.pipe(input, at('a'));
    driver.restart();
    driver.pipe(input, at('a'));
    expect(driver.read(output).map(({ value }) => value)).toEqual([1, 2]);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 1, lag: 0 });
  });

  it('restarts with another version of the pipeline, which continues from the offsets and stores', () => {
    const driver = new TestDriver(counted, { partitions: 2, autoCommit: false });
    driver.pipe(input, at('a'));
    driver.commit();
    driver.pipe(input, at('a'));
    const doubled = topic('doubled', { key: string(), value: json<number>() });
    const next = input.pipe(
      countByKey({ store: 'counts' }),
      mapValues((n) => n * 2),
      to(doubled),
    );
    driver.restart('crash', next);
    driver.commit();
    expect(driver.read(output).map(({ value }) => value)).toEqual([1]);
    expect(driver.read(doubled).map(({ value }) => value)).toEqual([4]);
    expect(driver.store('counts').get('a')?.value).toBe(2);
    expect(driver.topology.stages.flatMap(({ outputs }) => outputs)).toEqual(['doubled']);
    const other = input.pipe(
      windowBy(tumbling({ size: '1s', grace: '0s' }), agg.count(), { store: 'counts' }),
      to(output),
    );
    expect(() => driver.restart('crash', other)).toThrow(/counts/);
    driver.restart('crash', counted);
    driver.pipe(input, at('a'));
    driver.commit();
    expect(driver.read(output).map(({ value }) => value)).toEqual([3]);
  });

  it('recovers by a restart when the cause of a failure is gone', () => {
    let broken = true;
    const driver = new TestDriver(
      input.pipe(
        mapValues((n) => {
          if (broken) throw new Error('broken');
          return n;
        }),
        aggregate(agg.count(), { store: 's' }),
        to(output),
      ),
    );
    expect(() => driver.pipe(input, at('a'))).toThrow('broken');
    expect(() => driver.pipe(input, at('a'))).toThrow('broken');
    broken = false;
    driver.restart();
    expect(driver.read(output).map(({ value }) => value)).toEqual([1, 2]);
  });

  it('keeps stores of its own, or those that it is given', () => {
    const stores = memoryStores();
    new TestDriver(counted, { stores }).pipe(input, at('a'));
    const next = new TestDriver(counted, { stores });
    next.pipe(input, at('a'));
    expect(next.read(output).map(({ value }) => value)).toEqual([2]);
    const other = new TestDriver(counted, { stores, applicationId: 'other' });
    other.pipe(input, at('a'));
    expect(other.read(output).map(({ value }) => value)).toEqual([1]);
  });

  it('writes nothing of a call that fails', () => {
    const driver = new TestDriver(counted);
    const broken: Iterable<ReturnType<typeof at>>[] = [
      [at('a'), { ...at('a'), value: 1n as never }],
      [at('a'), at('a', -5)],
      (function* () {
        yield at('a');
        throw new Error('broken');
      })(),
    ];
    for (const records of broken)
      expect(() => driver.pipeAll(input, records)).toThrow(/int|timestamp|broken|JSON|bigint/i);
    driver.pipe(input, at('b'));
    expect(driver.read(input).map(({ key }) => key)).toEqual(['b']);
  });

  it('refuses what cannot be written', () => {
    const driver = new TestDriver(counted);
    expect(() => driver.pipe(input, { ...at('a'), partition: 7 })).toThrow(/no 7/);
    expect(() => driver.pipe(input, { ...at('a'), timestamp: 0.5 })).toThrow(/timestamp/);
    expect(() => driver.pipe(input, { ...at('a'), key: 7 as never })).toThrow(/string/);
    driver.pipe(input, at('a'));
    expect(driver.read(output)).toHaveLength(1);
  });

  it('is restarted, or settles, while a commit waits for a call', async () => {
    const answers: (() => void)[] = [];
    const answer = (): void => {
      for (const each of answers.splice(0)) each();
    };
    const driver = new TestDriver(
      input.pipe(
        mapAsync((n) => new Promise<number>((resolve) => answers.push(() => resolve(n)))),
        to(output),
      ),
    );
    driver.pipe(input, at('a'));
    driver.advanceTime('1m');
    driver.restart();
    expect(answers).toHaveLength(2);
    // The first call is of tasks that are gone.
    answer();
    await driver.settled();
    expect(driver.read(output)).toHaveLength(1);
    driver.pipe(input, at('b'));
    driver.advanceTime('1m');
    answer();
    await driver.settled();
    expect(driver.read(output)).toHaveLength(1);
    driver.restart();
    await driver.settled();
    expect(driver.read(output)).toHaveLength(0);
  });

  it('settles at once when nothing is under way', async () => {
    const driver = new TestDriver(
      input.pipe(
        mapAsync(async (n) => n),
        to(output),
      ),
    );
    await driver.settled();
    driver.pipe(input, at('a'));
    await driver.settled();
    await driver.settled();
    expect(driver.read(output)).toHaveLength(1);
  });

  it('does not go on after a record that a global table does not take', () => {
    const rates = globalTable('rates', { key: string(), value: int32() });
    const amounts = topic('amounts', { key: string(), value: int32() });
    const raw = topic('rates', { key: string(), value: string() });
    const out = topic('converted', { key: string(), value: int32() });
    const driver = new TestDriver(
      amounts.pipe(
        joinTable(rates, (amount, rate) => amount * rate, { key: () => 'eur' }),
        to(out),
      ),
    );
    const failing = expect.objectContaining({ code: 'ERR_DECODE' });
    expect(() => driver.pipe(raw, { key: 'eur', value: 'no number' })).toThrow(failing);
    expect(() => driver.pipe(amounts, { key: 'a', value: 1 })).toThrow(failing);
    expect(driver.read(out)).toEqual([]);
  });
});
