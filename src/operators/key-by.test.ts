import { countByKey, json, keyBy, nullable, string, through, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { keyed, output, shown, thrown } from './operators.fixtures.ts';

const shuffle = topic('shuffle', { key: nullable(string()), value: json<number>() });
const byParity = keyBy((n: number) => (n % 2 === 0 ? 'even' : 'odd'));

describe('keyBy', () => {
  it('gives a new key, under which records come together once they have been through a topic', () => {
    const driver = new TestDriver(keyed.pipe(byParity, through(shuffle), countByKey({ store: 's' }), to(output)), {
      partitions: 4,
    });
    const values = [1, 2, 3, 4, 5];
    driver.pipeAll(
      keyed,
      values.map((value) => ({ key: `k${value}`, value, timestamp: 9 })),
    );
    const counts = Object.fromEntries(driver.read(output).map(({ key, value }) => [key, value]));
    expect(counts).toEqual({ odd: 3, even: 2 });
  });

  it('is refused in front of a step that needs records to lie where their keys belong', () => {
    const error = thrown(() => new TestDriver(keyed.pipe(byParity, countByKey({ store: 's' }) as never)));
    expect(error.code).toBe('ERR_KEY_CHANGED');
    expect(error.message).toContain('through');
  });

  it('may give no key', () => {
    const driver = new TestDriver(
      keyed.pipe(
        keyBy((n) => (n > 1 ? 'much' : null)),
        to(output),
      ),
    );
    for (const value of [1, 2]) driver.pipe(keyed, { key: 'a', value, timestamp: value });
    expect(shown(driver.read(output))).toEqual(['null=1@1', 'much=2@2']);
  });
});
