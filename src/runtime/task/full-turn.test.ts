import { bytes, to, topic } from 'millrace';
import { expect, it } from 'vitest';
import type { FetchedBatch } from '../../log/transport.ts';
import { plan } from '../../plan/topology.ts';
import { RecordBatchBuilder } from '../../protocol/batch-builder.ts';
import { memoryStores } from '../../state/memory-backend.ts';
import { VirtualClock } from '../../testing/index.ts';
import { Task } from './task.ts';

const MIB = 2 ** 20;

it('a turn is over with the record that brings what it has written to 4 MiB, however many it may take', () => {
  const source = topic('source', { value: bytes() });
  const target = topic('target', { value: bytes() });
  const topology = plan(source.pipe(to(target)));
  const records = new RecordBatchBuilder();
  for (let n = 0; n < 8; n += 1) records.append(n, null, new Uint8Array(MIB), []);
  const there: FetchedBatch[] = [Object.assign(records.columns(0), { endOffset: 8 })];
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
    outputTopic: () => ({ partitions: 1, maxMessageBytes: 2 * MIB, compression: 'none' }),
    inputPartitions: () => 1,
    wake: () => undefined,
    assign: () => undefined,
    poll: () => there.shift(),
    endOffset: () => 8,
  });
  const turn = (): number => {
    task.beginTurn();
    const taken = task.advance(100, Number.POSITIVE_INFINITY);
    task.endTurn();
    return taken;
  };
  expect([turn(), task.turnIsFull]).toEqual([4, true]);
  const { offsets, outputs } = task.takeProgress();
  expect(outputs.reduce((sum, { records: { count } }) => sum + count, 0)).toBe(4);
  expect(offsets).toMatchObject([{ topic: 'source', offset: 4 }]);
  expect(turn(), 'the next one has as much room').toBe(4);
  task.close();
});
