import { type Client, connect, type MillraceError, nullable, string, topic } from 'millrace';
import { afterEach, describe, expect, inject, it, vi } from 'vitest';
import { Cluster } from '../../src/transports/kafka/cluster.ts';
import type { ProduceRequest, ProduceResponse } from '../../src/transports/kafka/wire/produce.ts';
import { failure, unique } from '../contract/support.ts';

type Send = (query: ProduceRequest) => Promise<ProduceResponse>;

/** Sees and changes what a broker answers to writes. */
function onProduce(answer: (query: ProduceRequest, send: Send) => Promise<ProduceResponse>): void {
  const { request } = Cluster.prototype;
  vi.spyOn(Cluster.prototype, 'request').mockImplementation(function (this: Cluster, ...args): Promise<never> {
    const [node, lane, api, query, ms] = args;
    const send = (changed: unknown): Promise<never> =>
      request.call(this, node, lane, api, changed, ms) as Promise<never>;
    return api.name === 'Produce' ? (answer(query as ProduceRequest, send) as Promise<never>) : send(query);
  });
}

const withCode = ({ batches }: ProduceRequest, errorCode: number): ProduceResponse => ({
  throttleMs: 0,
  partitions: batches.map(({ topic, partition }) => ({
    topic,
    partition,
    errorCode,
    baseOffset: -1,
    recordErrors: [],
    message: '',
  })),
});

const codeOf = (error: unknown): string => `${(error as MillraceError).code} ${(error as MillraceError).written}`;

async function valuesOf(client: Client, name: string): Promise<string[]> {
  const values: string[] = [];
  const source = topic(name, { value: string() });
  for await (const { offset, value } of client.records(source, { from: 'earliest', until: 'end' })) {
    values.push(`${offset}=${value}`);
  }
  return values;
}

describe('a write whose answer leaves it in doubt', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it.each([-1, 3, 6, 7, 20, 56])('with code %i keeps its sequence number, which nothing else gets', async (code) => {
    const client = await connect({ brokers: inject('brokers'), kafka: { deliveryTimeoutMs: 1000 } });
    const lines = topic(unique('doubt'), { key: string(), value: string(), partitions: 1 });
    await client.publish(lines, { key: 'k', value: 'first' });
    let appended = false;
    onProduce(async (query, send) => {
      // The broker has it; then it is no leader any more, or says so.
      if (!appended) await send(query);
      appended = true;
      return withCode(query, code);
    });
    const doubtful = await failure('ERR_TIMEOUT', client.publish(lines, { key: 'k', value: 'A' }));
    expect(doubtful.written).toBe('unknown');
    expect(doubtful.message).toContain('may have been written');
    vi.restoreAllMocks();
    expect(await client.publish(lines, { key: 'k', value: 'B' })).toMatchObject({ offset: 2 });
    expect(await valuesOf(client, lines.use.name)).toEqual(['0=first', '1=A', '2=B']);
    await client.close();
  });

  it('is repeated until it is certain, and is then there once', async () => {
    const client = await connect({ brokers: inject('brokers') });
    const lines = topic(unique('repeated'), { key: string(), value: string(), partitions: 1 });
    const codes = [6, 20, 7, -1, 56, 3];
    onProduce(async (query, send) => {
      const answer = await send(query);
      const code = codes.pop();
      return code === undefined ? answer : withCode(query, code);
    });
    const published = await Promise.all(
      ['A', 'B', 'C'].map((value) => client.publish(lines, { key: 'k', value }).then(({ offset }) => offset)),
    );
    expect(published).toEqual([0, 1, 2]);
    expect(await valuesOf(client, lines.use.name)).toEqual(['0=A', '1=B', '2=C']);
    await client.close();
  });

  it('is acknowledged without an offset when the broker only says that it has it', async () => {
    const client = await connect({ brokers: inject('brokers') });
    const lines = topic(unique('duplicate'), { key: string(), value: string(), partitions: 1 });
    onProduce(async (query, send) => {
      await send(query);
      return withCode(query, 46);
    });
    const published = await Promise.all(['A', 'B'].map((value) => client.publish(lines, { key: 'k', value })));
    expect(published.map(({ offset }) => offset)).toEqual([-1, -1]);
    expect(await valuesOf(client, lines.use.name)).toEqual(['0=A', '1=B']);
    await client.close();
  });
});

describe('records that a broker refuses', () => {
  const hoursAhead = (): number => Date.now() + 7_200_000;

  it.each(['none', 'gzip'] as const)('do not take the others of their batch with them (%s)', async (compression) => {
    const client = await connect({ brokers: inject('brokers'), compression });
    const name = unique('refused');
    await client.topics.create(name, { partitions: 1, config: { cleanup: 'compact' } });
    const lines = topic(name, { key: nullable(string()), value: string() });
    const answers: ProduceResponse[] = [];
    onProduce(async (query, send) => {
      const answer = await send(query);
      answers.push(answer);
      return answer;
    });
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => {
        const record = { key: `k${i}`, value: `v${i}` };
        if (i === 3) return client.publish(lines, { ...record, key: null });
        return client.publish(lines, i === 7 ? { ...record, timestamp: hoursAhead() } : record);
      }),
    );
    vi.restoreAllMocks();
    const refused = results.flatMap((result, i) => (result.status === 'rejected' ? [[i, codeOf(result.reason)]] : []));
    expect(refused).toEqual([
      [3, expect.stringMatching(/^ERR_KAFKA_INVALID_(RECORD|TIMESTAMP) no$/)],
      [7, expect.stringMatching(/^ERR_KAFKA_INVALID_(RECORD|TIMESTAMP) no$/)],
    ]);
    // The broker names both at once.
    expect(answers.map(({ partitions }) => partitions[0]!.recordErrors!.map(({ index }) => index))).toEqual([
      [3, 7],
      [],
    ]);
    const offsets = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.offset] : []));
    expect(offsets).toEqual(Array.from({ length: 18 }, (_, i) => i));
    const values = (await valuesOf(client, name)).map((row) => row.split('=')[1]);
    expect(values).toEqual(Array.from({ length: 20 }, (_, i) => `v${i}`).filter((_, i) => i !== 3 && i !== 7));
    await client.close();
  });

  it('are found when the broker does not say which they are, as with one that is too large', async () => {
    const client = await connect({ brokers: inject('brokers'), compression: 'none' });
    const lines = topic(unique('large'), { key: string(), value: string(), partitions: 1 });
    await client.publish(lines, { key: 'k', value: 'first' });
    const other = await connect({ brokers: inject('brokers') });
    await other.topics.configure(lines, { maxMessageBytes: 1000 });
    const results = await Promise.allSettled(
      [1, 2, 3000, 4, 600, 600].map((length) => client.publish(lines, { key: 'k', value: 'x'.repeat(length) })),
    );
    expect(
      results.map((result) => (result.status === 'rejected' ? codeOf(result.reason) : result.value.offset)),
    ).toEqual([1, 2, 'ERR_RECORD_TOO_LARGE no', 3, 4, 5]);
    expect((await valuesOf(client, lines.use.name)).map((row) => row.length - 2)).toEqual([5, 1, 2, 4, 600, 600]);
    await Promise.all([client.close(), other.close()]);
  });
});
