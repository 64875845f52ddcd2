import { countByKey, describePipeline, reduceByKey, to } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { input, keyed, output } from './operators.fixtures.ts';

describe('countByKey', () => {
  it('drops null keys and counts them (TM-9)', () => {
    const driver = new TestDriver(input.pipe(countByKey({ store: 's' }), to(output as never)));
    driver.pipe(input, { key: null, value: 1, timestamp: 1 });
    expect(driver.read(output)).toEqual([]);
    expect(driver.tasks()[0]).toMatchObject({ dropped: 1, recordsIn: 1 });
  });

  it('keeps partitions apart, as tasks', () => {
    const driver = new TestDriver(keyed.pipe(countByKey({ store: 's' }), to(output)), { partitions: 3 });
    const keys = ['a', 'b', 'c', 'd', 'e', 'f', 'a', 'b', 'a'];
    driver.pipeAll(
      keyed,
      keys.map((key) => ({ key, value: 1, timestamp: 1 })),
    );
    const counts = new Map(driver.read(output).map(({ key, value }) => [key, value]));
    expect(Object.fromEntries(counts)).toEqual({ a: 3, b: 2, c: 1, d: 1, e: 1, f: 1 });
    expect([...driver.store('s').entries()]).toHaveLength(6);
  });

  it('goes by the name that it was written with, as reduceByKey does', () => {
    const pipeline = [
      input.pipe(countByKey({ store: 'counts' }), to(output as never)),
      input.pipe(
        reduceByKey((left, right) => left + right, { store: 'sums' }),
        to(output as never),
      ),
    ];
    const steps = describePipeline(pipeline).stages.flatMap((stage) => stage.steps.map(({ name }) => name));
    expect(steps).toEqual(expect.arrayContaining(['countByKey(counts)', 'reduceByKey(sums)']));
    expect(() => countByKey({ store: '' })).toThrow('countByKey');
  });
});
