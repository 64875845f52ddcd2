import { expect, it } from 'vitest';
import { memoryStores } from '../../state/memory-backend.ts';
import { AtLeastOnceWriter } from './at-least-once.ts';
import { BrokerModel, batchOf, topicsOf } from './broker-model.fixtures.ts';
import { fakeCluster, fakeMember } from './fake-cluster.fixtures.ts';

it('commits offsets when all outputs are acknowledged, and not before', async () => {
  const told: string[] = [];
  let acknowledge: () => void = () => undefined;
  const cluster = fakeCluster((name) => {
    told.push(name);
    return name === 'InitProducerId' ? { errorCode: 0, producerId: 7n, producerEpoch: 0 } : [];
  });
  const { request } = cluster;
  const asked = { ask: async () => ({ errorCode: 0, producerId: 7n, producerEpoch: 0 }) };
  Object.assign(cluster, asked, {
    request: async (...args: Parameters<typeof request>) => {
      if (args[2].name === 'Produce') await new Promise<void>((resolve) => (acknowledge = resolve));
      return request.apply(cluster, args as never);
    },
  });
  const writer = new AtLeastOnceWriter(cluster, topicsOf(), fakeMember(), memoryStores(), undefined as never);
  const sent = writer.send([batchOf(0, [false], false)], 1);
  const done = writer.commit({ generation: 1, offsets: [{ topic: 'in', partition: 0, offset: 5 }], state: [] });
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([]);
  acknowledge();
  await Promise.all([sent, done]);
  expect(told).toEqual(['OffsetCommit']);
  await writer.close();
});

it('writes nothing behind an output that was given up: what comes after the failure is read in its order', async () => {
  const broker = new BrokerModel([{ fate: 'refused', code: 29, delay: 1 }], false);
  const cluster = fakeCluster(() => []);
  const { request } = cluster;
  Object.assign(cluster, {
    ask: async () => ({ errorCode: 0, producerId: 7n, producerEpoch: 0 }),
    request: async (...args: Parameters<typeof request>) =>
      args[2].name === 'Produce' ? broker.produce(args[3] as never) : request.apply(cluster, args as never),
  });
  const writer = new AtLeastOnceWriter(cluster, topicsOf(), fakeMember(), memoryStores(), undefined as never);
  const [first, second] = [batchOf(0, [false], false), batchOf(0, [false], false)];
  // Who hands outputs over ahead of a commit hears of a failure only from the commit.
  await writer.send([first], 1);
  await writer.send([second], 1);
  const failed = writer.commit({ generation: 1, offsets: [{ topic: 'in', partition: 0, offset: 5 }], state: [] });
  await expect(failed).rejects.toMatchObject({ code: 'ERR_NOT_AUTHORIZED' });
  expect(broker.offsetsOf(0, second.names[0]!)).toEqual([]);
  await writer.close();
});
