import { describe, expect, it } from 'vitest';
import { batchOf, topicsOf } from './broker-model.fixtures.ts';
import { connectionError } from './errors.ts';
import { fakeCluster, fakeMember } from './fake-cluster.fixtures.ts';
import { TransactionalWriter } from './transactional-writer.ts';
import type { TransactionIdentity } from './wire/transactions.ts';

/** The epochs in which two transactions ended. @param lost - The request of the first one whose answer is lost, once. */
async function epochs(lost?: string): Promise<number[]> {
  let epoch = 0;
  let losing = lost;
  const ended: number[] = [];
  const cluster = fakeCluster((name, query: TransactionIdentity & { readonly partitions: readonly object[] }) => {
    if (name === losing) {
      losing = undefined;
      throw connectionError('broker', 'the connection was cut');
    }
    if (name === 'InitProducerId') return { errorCode: 0, producerId: 7n, producerEpoch: epoch++ };
    if (name === 'EndTxn') ended.push(query.producerEpoch);
    if (name === 'AddPartitionsToTxn') return query.partitions.map((each) => ({ ...each, errorCode: 0 }));
    if (name === 'DescribeTransactions') return { errorCode: 0, state: 'CompleteCommit' };
    return name === 'TxnOffsetCommit' ? [] : 0;
  });
  const writer = new TransactionalWriter(cluster, topicsOf(), undefined as never, 'id');
  for (let times = 0; times < 2; times += 1) {
    await writer.append([batchOf(0, [false], false)]);
    await writer.commit([{ topic: 'in', partition: 0, offset: 1 }], fakeMember(), 1);
  }
  writer.giveUp();
  return ended;
}

describe('a writer of transactions', () => {
  it('keeps its epoch as long as all is answered', async () => {
    expect(await epochs()).toEqual([0, 0]);
  });

  it('goes on in another epoch when a request of it had no answer', async () => {
    for (const lost of ['AddPartitionsToTxn', 'AddOffsetsToTxn', 'TxnOffsetCommit', 'EndTxn']) {
      expect([lost, await epochs(lost)]).toEqual([lost, [0, 1]]);
    }
  });
});
