import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MillraceError } from '../../errors.ts';
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

describe('behind a batch that was given up', () => {
  const outcomes = async (endsWithFailure: boolean): Promise<{ told: unknown[]; found: number[] }> => {
    const broker = new BrokerModel([{ fate: 'refused', code: 29, delay: 1 }], false);
    const cluster = clusterOf(broker, { deliveryTimeoutMs: 10_000, requestTimeoutMs: 1000 });
    const sender = new BatchSender(cluster, topicsOf(), {
      identify: async () => broker.identity(false),
      endsWithFailure,
    });
    const batches = [0, 0, 1].map((partition) => batchOf(partition, [false], false));
    const told = batches.map((batch) => sender.append(batch).catch((error: unknown) => error));
    await vi.advanceTimersByTimeAsync(1000);
    const later = batchOf(0, [false], false);
    told.push(sender.append(later).catch((error: unknown) => error));
    await vi.advanceTimersByTimeAsync(1000);
    sender.close();
    const found = [...batches, later].map(({ names, partition }) => broker.offsetsOf(partition, names[0]!).length);
    return { told: await Promise.all(told), found };
  };

  it('nothing more is written where all of it is done again, so that it is read in its order then', async () => {
    const { found, told } = await outcomes(true);
    const refused = { code: 'ERR_NOT_AUTHORIZED', written: 'no' };
    // The other partition went with the same request.
    expect(told).toMatchObject([refused, refused, expect.anything(), refused]);
    expect(found.slice(0, 2)).toEqual([0, 0]);
    expect(found[3]).toBe(0);
  });

  it('the next ones of a client are written: it knows which one is not', async () => {
    const { found, told } = await outcomes(false);
    expect(told[0]).toMatchObject({ written: 'no' });
    expect(found[1]).toBe(1);
    expect(found[3]).toBe(1);
  });
});

it('says what was wrong with a batch, and not that those behind it had to wait for it', async () => {
  const answered = { fate: 'answered', delay: 1 } as const;
  const broker = new BrokerModel([answered, { fate: 'refused', code: 6, delay: 10 }], false);
  const said: string[] = [];
  const quiet = (): undefined => undefined;
  const logger = { debug: quiet, info: quiet, warn: (_: object, text: string) => void said.push(text), error: quiet };
  const cluster = clusterOf(broker, { deliveryTimeoutMs: 10_000, requestTimeoutMs: 1000, logger });
  const sender = new BatchSender(cluster, topicsOf(), { identify: async () => broker.identity(true) });
  const first = sender.append(batchOf(0, [false], false));
  await vi.advanceTimersByTimeAsync(10);
  await first;
  const batches = [batchOf(0, [false], false), batchOf(0, [false], false)];
  const written = Promise.all(batches.map((batch) => sender.append(batch)));
  await vi.advanceTimersByTimeAsync(5000);
  await written;
  // Both are there once, in their order.
  expect(batches.flatMap(({ names }) => broker.offsetsOf(0, names[0]!))).toEqual([3, 5]);
  expect(said).toEqual([expect.stringContaining('NOT_LEADER_OR_FOLLOWER')]);
  sender.close();
});

it('gives up what has failed while others of its partition were in flight, when it is closed', async () => {
  const broker = new BrokerModel(
    [
      { fate: 'answered', delay: 1 },
      { fate: 'refused', code: 6, delay: 10 },
      { fate: 'refused', code: 7, delay: 500 },
    ],
    false,
  );
  const cluster = clusterOf(broker, { deliveryTimeoutMs: 10_000, requestTimeoutMs: 1000 });
  const sender = new BatchSender(cluster, topicsOf(), { identify: async () => broker.identity(true) });
  const first = sender.append(batchOf(0, [false], false));
  await vi.advanceTimersByTimeAsync(10);
  await first;
  const told: unknown[] = [];
  for (const batch of [batchOf(0, [false], false), batchOf(0, [false], false)])
    sender.append(batch).then(
      () => told.push('written'),
      ({ code }: MillraceError) => told.push(code),
    );
  await vi.advanceTimersByTimeAsync(100);
  expect(told, 'the first one waits for the second one').toEqual([]);
  sender.close();
  await vi.advanceTimersByTimeAsync(2000);
  expect(told).toEqual(['ERR_KAFKA_REQUEST_TIMED_OUT', 'ERR_CLOSED']);
});

// It fails where a look-up of the leader that is still going on lets a second producer id be fetched.
it('sends a batch again under the producer id under which it may be in the log, however long look-ups take', async () => {
  const broker = new BrokerModel(
    [
      { fate: 'answered', delay: 1 },
      { fate: 'refused', code: 56, delay: 10 },
      { fate: 'refused', code: 10, delay: 10 },
      { fate: 'appended, then', code: 20, delay: 150 },
    ],
    false,
  );
  const cluster = clusterOf(broker, { deliveryTimeoutMs: 10_000, requestTimeoutMs: 1000 });
  const waits = [800, 1];
  const topics = topicsOf(() => new Promise((resolve) => setTimeout(resolve, waits.shift() ?? 0)));
  // The second one takes longer than the first look-up of the leader; a third one would end while a batch is in flight.
  const identities = [1, 1000, 350];
  const sender = new BatchSender(cluster, topics, {
    identify: async () => {
      await new Promise((resolve) => setTimeout(resolve, identities.shift() ?? 1));
      return broker.identity(false);
    },
  });
  const [first, refused, last] = [0, 0, 0].map((partition) => batchOf(partition, [false], false));
  const told = [sender.append(first!)];
  await vi.advanceTimersByTimeAsync(100);
  told.push(sender.append(refused!));
  await vi.advanceTimersByTimeAsync(1);
  topics.forget('outputs');
  told.push(sender.append(last!));
  const outcomes = Promise.allSettled(told);
  await vi.advanceTimersByTimeAsync(20_000);
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(broker.offsetsOf(0, last!.names[0]!)).toHaveLength(1);
  sender.close();
});
