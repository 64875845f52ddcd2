import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { BatchSender } from './batch-sender.ts';
import { BrokerModel, batchOf, clusterOf, topicsOf } from './broker-model.fixtures.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('takes no batch for written because another one came late under its number', async () => {
  // The first request has no answer, and arrives when its batch has been refused, and given up, already.
  const broker = new BrokerModel(
    [
      { fate: 'late', delay: 2000 },
      { fate: 'refused', code: 29, delay: 1 },
    ],
    false,
  );
  const cluster = clusterOf(broker, { deliveryTimeoutMs: 10_000, requestTimeoutMs: 1000 });
  const sender = new BatchSender(cluster, topicsOf(), { identify: async () => broker.identity(false) });
  const [lost, next] = [batchOf(0, [false], false), batchOf(0, [false], false)];
  const refusal = sender.append(lost).then(
    () => undefined,
    (error: unknown) => error,
  );
  await vi.advanceTimersByTimeAsync(1900);
  expect(await refusal).toMatchObject({ written: 'unknown' });
  await vi.advanceTimersByTimeAsync(200);
  expect(broker.offsetsOf(0, lost.names[0]!)).toHaveLength(1);
  const written = sender.append(next);
  await vi.advanceTimersByTimeAsync(100);
  const { baseOffset } = await written;
  expect(broker.offsetsOf(0, next.names[0]!)).toEqual([baseOffset]);
  sender.close();
});
