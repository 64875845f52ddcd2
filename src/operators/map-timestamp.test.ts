import { agg, json, mapTimestamp, mapValues, string, to, topic, tumbling, windowBy } from 'millrace';
import { TestDriver } from 'millrace/testing';
import { expect, it } from 'vitest';
import { describePipeline } from '../plan/graph.ts';

const source = topic('source', { key: string(), value: json<{ at: number }>() });
const out = topic('out', { key: string(), value: json<unknown>() });
const second = tumbling({ size: '1s', grace: '0s' });

it('moves event time, and nothing else: no shuffle is needed before a window', () => {
  const pipeline = source.pipe(
    mapTimestamp(({ at }) => at),
    windowBy(second, agg.count(), { store: 'counts' }),
    mapTimestamp((count, { timestamp, window }) => window.end + timestamp + count),
    mapValues((count, { window, timestamp }) => [window.start, count, timestamp]),
    to(out),
  );
  expect(describePipeline(pipeline).stages).toHaveLength(1);
  const driver = new TestDriver(pipeline, { partitions: 2 });
  for (const at of [100, 900, 1000]) driver.pipe(source, { key: 'a', value: { at }, timestamp: 77 });
  expect(driver.read(out)).toMatchObject([{ key: 'a', value: [0, 2, 1902], timestamp: 1902 }]);
});

it('refuses what is no time, record by record', () => {
  for (const at of [-1, 0.5, Number.NaN, '7', undefined]) {
    const driver = new TestDriver(
      source.pipe(
        mapTimestamp(() => at as number),
        to(out),
      ),
      { onRecordError: 'skip' },
    );
    driver.pipe(source, { key: 'a', value: { at: 1 } });
    expect(driver.tasks()[0]).toMatchObject({ skipped: 1 });
  }
});
