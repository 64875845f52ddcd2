import { describe, expect, inject, it, vi } from 'vitest';
import type { Transport } from '../../src/log/transport.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import type { openSocket } from '../../src/transports/kafka/open-socket.ts';
import { batch, join, readAll, unique, until, values, valuesOf } from '../contract/support.ts';
import { FrameProxy } from './frame-proxy.ts';

type OpenSocket = typeof openSocket;

/** The port of a proxy by that of its broker. */
const proxies = vi.hoisted(() => new Map<number, number>());

vi.mock('../../src/transports/kafka/open-socket.ts', async (original) => {
  const { openSocket } = await original<{ readonly openSocket: OpenSocket }>();
  const through: OpenSocket = (request, ssl) =>
    openSocket({ ...request, port: proxies.get(request.port) ?? request.port }, ssl);
  return { openSocket: through };
});

const PRODUCE = 0;
const ADD_PARTITIONS = 24;
const ADD_OFFSETS = 25;
const END_TXN = 26;
const TXN_OFFSET_COMMIT = 28;

/** A transport whose first request of a kind is cut off, and arrives before the end of the third transaction. */
async function cuttingOnce(kind: number): Promise<{ readonly proxy: FrameProxy; readonly transport: Transport }> {
  const [host, port] = inject('brokers')[0]!.split(':') as [string, string];
  let cuts = 0;
  let ends = 0;
  const proxy: FrameProxy = await FrameProxy.start({ host, port: Number(port) }, async (apiKey) => {
    if (apiKey === kind && cuts++ === 0) return 'cut';
    if (apiKey === END_TXN && ++ends === 3) await proxy.held[0]!.release();
    return 'pass';
  });
  proxies.set(Number(port), proxy.port);
  const transport = await kafkaTransport({ brokers: inject('brokers'), guarantee: 'exactly-once' })();
  return { proxy, transport };
}

describe('a request of a transaction whose answer was lost', () => {
  it.each([
    ['Produce', PRODUCE],
    ['AddPartitionsToTxn', ADD_PARTITIONS],
    ['AddOffsetsToTxn', ADD_OFFSETS],
    ['TxnOffsetCommit', TXN_OFFSET_COMMIT],
    ['EndTxn', END_TXN],
  ])('%s does not enter the transaction after it', async (_name, kind) => {
    const { proxy, transport } = await cuttingOnce(kind);
    const topic = unique('late');
    const groupId = unique('group');
    await transport.topics.create(topic, { partitions: 1 });
    const { session, tasks } = await join(transport, groupId, topic, 1);
    await until('the task', () => tasks.size === 1);
    const { generation } = session;
    const offsets = (offset: number) => [{ topic, partition: 0, offset }];
    await session.send([batch(topic, 0, values('a'))]);
    await session.commit({ generation, offsets: offsets(1), state: [] });
    expect(proxy.held).toHaveLength(1);

    await session.send([batch(topic, 0, values('b'))]);
    await session.commit({ generation, offsets: offsets(2), state: [] });
    await session.send([batch(topic, 0, values('c'))]);
    await session.commit({ generation, offsets: offsets(3), state: [] });

    expect(await transport.committed(groupId, [{ topic, partition: 0 }])).toMatchObject(offsets(3));
    expect(valuesOf(await readAll(transport, topic))).toEqual(['a', 'b', 'c']);
    await session.leave();
    await transport.close();
    proxy.close();
    proxies.clear();
  });
});
