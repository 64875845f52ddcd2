import { int32, topic } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';
import { seededRandom } from '../../bench/shared/measure.ts';
import { OPERATOR_CASES } from '../../bench/shared/operator-cases.ts';

const CASE = 'joinStream, 10,000 open rows';
const numbers = { key: int32(), value: int32() };

it('the benchmark of a join has as many rows open as it says', () => {
  const { pipeline, record } = OPERATOR_CASES[CASE] as (typeof OPERATOR_CASES)[string];
  const topics = [topic('source', numbers), topic('other', numbers)];
  const random = seededRandom(11);
  const records = Array.from({ length: 25_000 }, (_, at) => record(at, random()));
  const driver = new TestDriver(pipeline());
  driver.batch(() => {
    for (const each of topics) {
      const own = records.filter((made) => made.topic === each.name);
      driver.pipeAll(
        each,
        own.map(({ key, timestamp, value }) => ({ key, timestamp, value })),
      );
    }
  });
  const open = ['join-left', 'join-right'].reduce((sum, store) => sum + [...driver.store(store).entries()].length, 0);
  // Those that are over go a few at a time.
  expect(open).toBeGreaterThanOrEqual(10_000);
  expect(open).toBeLessThan(12_000);
});
