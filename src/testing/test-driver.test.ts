import {
  agg,
  aggregate,
  countByKey,
  globalTable,
  int32,
  joinTable,
  json,
  mapAsync,
  mapValues,
  string,
  to,
  topic,
} from 'millrace';
import { TestDriver } from 'millrace/testing';
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
    driver.advance('5s');
    driver.pipe(input, { key: 'a', value: 2 });
    expect(driver.read(output).map(({ timestamp }) => timestamp)).toEqual([1_000, 6_000]);
    expect(() => driver.advance('soon' as '1s')).toThrow(/duration/);
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
    const entries = driver.store('counts').map(({ key, value }) => [key, value]);
    expect(new Map(entries as [string, number][])).toEqual(
      new Map([
        ['a', 2],
        ['b', 1],
      ]),
    );
    expect(() => driver.store('count')).toThrow(/no store count.*its stores are counts/);
    expect(() => new TestDriver(input.pipe(to(output))).store('x')).toThrow(/it has no stores/);
  });

  it('restarts from the last commit, which every call ends with', () => {
    const driver = new TestDriver(counted);
    driver.pipe(input, at('a'));
    driver.restart();
    driver.pipe(input, at('a'));
    expect(driver.read(output).map(({ value }) => value)).toEqual([1, 2]);
    expect(driver.tasks()[0]).toMatchObject({ recordsIn: 1, lag: 0 });
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
    driver.advance('1m');
    driver.restart();
    expect(answers).toHaveLength(2);
    // The first call is of tasks that are gone.
    answer();
    await driver.settle();
    expect(driver.read(output)).toHaveLength(1);
    driver.pipe(input, at('b'));
    driver.advance('1m');
    answer();
    await driver.settle();
    expect(driver.read(output)).toHaveLength(1);
    driver.restart();
    await driver.settle();
    expect(driver.read(output)).toHaveLength(0);
  });

  it('settles at once when nothing is under way', async () => {
    const driver = new TestDriver(
      input.pipe(
        mapAsync(async (n) => n),
        to(output),
      ),
    );
    await driver.settle();
    driver.pipe(input, at('a'));
    await driver.settle();
    await driver.settle();
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
