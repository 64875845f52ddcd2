import { countByKey, describePipeline, joinTable, json, string, table, to, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';
import { shown, thrown } from '../operators/operators.fixtures.ts';

const options = { key: string(), value: json<number>() };
const out = topic('orders-out', options);
const [berlin, paris] = [topic('orders-berlin', options), topic('orders-paris', options)];

describe('topics of a pattern', () => {
  it('are found by the test driver when they are written, with state that goes on', () => {
    const all = topic(/^orders-/g, options);
    const driver = new TestDriver(all.pipe(countByKey({ store: 'counts' }), to(out)), { partitions: 2 });
    expect(driver.tasks()).toEqual([]);
    for (const key of ['a', 'b', 'c']) driver.pipe(berlin, { key, value: 1, timestamp: 1 });
    for (const key of ['a', 'b', 'c']) driver.pipe(paris, { key, value: 1, timestamp: 2 });
    driver.restart();
    driver.pipe(berlin, { key: 'a', value: 1, timestamp: 3 });
    const rows = ['a=1@1', 'a=2@2', 'a=3@3', 'b=1@1', 'b=2@2', 'c=1@1', 'c=2@2'];
    expect(shown(driver.read(out)).sort()).toEqual(rows);
    expect(thrown(() => driver.pipe(topic('returns', options), { key: 'a', value: 1 }))).toMatchObject({
      code: 'ERR_UNKNOWN_TOPIC',
    });
    // What the pipeline writes is no input of it.
    expect(thrown(() => driver.pipe(out, { key: 'a', value: 1 }))).toMatchObject({ code: 'ERR_UNKNOWN_TOPIC' });
  });

  it('are one input of the plan, and of joins', () => {
    const named = topic('named', { key: string(), value: string() });
    const names = table('names', { key: string(), value: string() });
    const pipeline = topic(/^orders-/, options).pipe(
      joinTable(names, (n, name) => `${name} ${n}`),
      to(named),
    );
    expect(describePipeline(pipeline).stages[0]).toMatchObject({
      name: '/^orders-/+names',
      inputs: ['/^orders-/', 'names'],
    });
    const driver = new TestDriver(pipeline);
    driver.pipe(topic('names', { key: string(), value: string() }), { key: 'a', value: 'Ada', timestamp: 0 });
    driver.pipe(paris, { key: 'a', value: 4, timestamp: 1 });
    expect(driver.read(named).map(({ value }) => value)).toEqual(['Ada 4']);
  });

  it('have no options of a single topic, and are no target', () => {
    expect(thrown(() => topic(/^a/, Object.assign({ partitions: 3 }, options)))).toMatchObject({ code: 'ERR_OPTION' });
    expect(thrown(() => topic(/^a/, {} as typeof options))).toMatchObject({ code: 'ERR_SERDE' });
    // @ts-expect-error a pattern is not a topic to write to
    expect(thrown(() => berlin.pipe(to(topic(/^a/, options))))).toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  });
});
