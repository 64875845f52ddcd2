import { agg, int32, keyBy, mapValues, string, through, to, topic, tumbling, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { describe, expect, it } from 'vitest';

const numbers = { key: string(), value: int32() };
const source = topic('source', numbers);
const first = topic('first', numbers);
const second = topic('second', numbers);
const counts = topic('counts', numbers);

const span = tumbling({ size: '10ms', grace: '0ms' });
/** Windows of windows, with a shuffle before each. */
const pipeline = source.pipe(
  keyBy((n) => `${n}`),
  through(first),
  windowBy(span, agg.count(), { store: 'small' }),
  keyBy(() => 'all'),
  through(second),
  windowBy(span, agg.count(), { store: 'large' }),
  mapValues((n, { window }) => window.start * 100 + n),
  to(counts),
);

/** The last record of `few` before a pause closes its window when the other task has closed later ones already. */
const times = (few: number, many: number) => [
  { key: 'k', value: few, timestamp: 5 },
  ...[15, 25, 36, 47, 58, 69].map((timestamp) => ({ key: 'k', value: many, timestamp })),
  { key: 'k', value: few, timestamp: 100 },
  { key: 'k', value: many, timestamp: 100 },
];

describe('rows that one task has held back for longer than another one', () => {
  const started = (partitions: number): TestDriver => {
    const driver = new TestDriver(pipeline, { partitions });
    // All tasks have read their inputs to the end, and have said so.
    for (const n of [3, 4]) driver.pipe(source, { key: 'k', value: n, timestamp: 0 });
    return driver;
  };

  it.each([1, 2, 3, 4, 5, 6])(
    'are not late behind a shuffle where both come in one commit, with %i partitions',
    (partitions) => {
      const driver = started(partitions);
      driver.pipeAll(source, times(3, 4));
      driver.pipeAll(
        source,
        times(3, 4).map((record) => ({ ...record, timestamp: record.timestamp + 200 })),
      );
      expect(driver.late).toEqual([]);
      driver.end('close');
      const total = driver.read(counts).reduce((sum, row) => sum + ((row.value as number) % 100), 0);
      expect(total, 'every window of the first step is in one of the second').toBe(19);
    },
  );
});
