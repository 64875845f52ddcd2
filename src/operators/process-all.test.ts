import { output as emits, json, keyValue, processAll, string, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { keyed, other, output, shown, thrown } from './operators.fixtures.ts';

describe('processAll', () => {
  it('has one stream for each output, whoever takes it: `into`, and several pipelines', () => {
    const step = processAll([keyed], {
      name: 'split',
      outputs: { copy: emits<number>() },
      into: { copy: (copies) => copies.pipe(to(other)) },
      next: [({ value }, { outputs }) => outputs.copy(value)],
    });
    const driver = new TestDriver(step.outputs.copy.pipe(to(output)));
    driver.pipe(keyed, { key: 'a', value: 1, timestamp: 1 });
    driver.restart();
    driver.pipe(keyed, { key: 'b', value: 2, timestamp: 2 });
    expect(shown(driver.read(other))).toEqual(['a=1@1', 'b=2@2']);
    expect(shown(driver.read(output))).toEqual(['a=1@1', 'b=2@2']);
  });

  const payments = topic('payments', { key: string(), value: json<number>() });

  it('takes records of several streams by timestamp, over one state and one time', () => {
    const matched = processAll([keyed, payments], {
      name: 'match',
      stores: { open: keyValue('open', { value: json<number>() }) },
      timers: { givenUp: 'stream-time' },
      emits: emits<string>(),
      outputs: { unknown: emits<number>() },
      next: [
        ({ timestamp, value }, { key, stores, timers }) => {
          stores.open.set(key, value);
          timers.givenUp.set(timestamp + 10);
        },
        ({ value }, { emit, key, outputs, stores, timers }) => {
          const order = stores.open.get(key);
          if (order === undefined) return outputs.unknown(value);
          stores.open.delete(key);
          timers.givenUp.cancel();
          emit(`${order} paid ${value}`);
        },
      ],
      due: {
        givenUp({ key }, { emit, stores }) {
          emit(`${stores.open.get(key) ?? 0} not paid`);
          stores.open.delete(key);
        },
      },
    });
    const driver = new TestDriver([matched.pipe(to(output)), matched.outputs.unknown.pipe(to(other))]);
    driver.pipe(keyed, { key: 'a', value: 1, timestamp: 0 });
    driver.pipe(keyed, { key: 'b', value: 2, timestamp: 1 });
    driver.restart();
    driver.pipe(payments, { key: 'a', value: 1, timestamp: 2 });
    driver.pipe(payments, { key: 'b', value: 2, timestamp: 11 });
    expect(shown(driver.read(output))).toEqual(['a="1 paid 1"@2', 'b="2 not paid"@11']);
    expect(shown(driver.read(other))).toEqual(['b=2@11']);
  });

  it('takes what comes of one record in the order of its streams', () => {
    const seen: string[] = [];
    const both = processAll([keyed, keyed], {
      name: 'both',
      next: [({ value }) => void seen.push(`left ${value}`), ({ value }) => void seen.push(`right ${value}`)],
    });
    const driver = new TestDriver(both);
    for (const value of [1, 2]) driver.pipe(keyed, { key: 'a', value, timestamp: 0 });
    expect(seen).toEqual(['left 1', 'right 1', 'left 2', 'right 2']);
  });

  it('needs streams, and a function for each', () => {
    expect(thrown(() => processAll([], { name: 'a', next: [] })).code).toBe('ERR_PIPELINE');
    const message = thrown(() => processAll([keyed, keyed], { name: 'a', next: [() => undefined] as never })).message;
    expect(message).toContain('next is an array of 1');
    expect(message).toContain('2 functions, one per input');
  });
});
