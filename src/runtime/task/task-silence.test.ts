import { agg, json, string, to, topic, tumbling, windowBy } from 'millrace';
import { expect, it } from 'vitest';

import type { FetchedBatch } from '../../log/transport.ts';
import { plan } from '../../plan/topology.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { VirtualClock } from '../../testing/index.ts';
import { Task } from './task.ts';

const source = topic('source', { key: string(), value: json<number>() });
const counts = topic('counts', { key: string(), value: json<number>() });

it('a task is silent when it has taken all that is known to be there, not when the rest is on its way', () => {
  const pipeline = source.pipe(
    windowBy(tumbling({ size: '10s', grace: '0s' }), agg.count(), { store: 'counts' }),
    to(counts),
  );
  const topology = plan(pipeline);
  const there: FetchedBatch[] = [];
  const known: { end?: number } = {};
  const task = new Task(topology.stages[0]!, 0, new Map(), {
    applicationId: 'app',
    topology,
    stores: memoryStores(),
    clock: new VirtualClock(0),
    cacheEntries: 10,
    onRecordError: 'fail',
    maxFutureMs: Number.POSITIVE_INFINITY,
    globalRows: () => {
      throw new Error('there is no global table');
    },
    outputTopic: () => ({ partitions: 1, maxMessageBytes: 1_000_000, compression: 'none' }),
    inputPartitions: () => 1,
    wake: () => undefined,
    assign: () => undefined,
    poll: () => there.shift(),
    endOffset: () => known.end,
  });
  const publish = (offset: number, timestamp: number): void => {
    const batch = new RecordBatchBuilder();
    batch.append(timestamp, 'k', '1', []);
    there.push(Object.assign(batch.columns(offset), { endOffset: known.end ?? 0 }));
  };
  const takesAll = (): number => (task.beginTurn() ? task.advance(10, Number.POSITIVE_INFINITY) : 0);
  expect([takesAll(), task.isSilent], 'nobody has said yet where the topic ends').toEqual([0, false]);
  known.end = 2;
  publish(0, 1_000);
  expect([takesAll(), task.isSilent], 'the second record is known, and not here').toEqual([1, false]);
  publish(1, 2_000);
  expect([takesAll(), task.isSilent]).toEqual([1, true]);
  task.tick(60_000);
  task.complete();
  expect(task.isSilent, 'nothing more can come of it').toBe(false);
  task.close();
});
