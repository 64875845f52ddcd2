import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { kafkaClassPath } from '../../scripts/kafka/java.ts';
import { Cluster } from '../../src/transports/kafka/cluster.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, send, unique, until, values } from '../contract/support.ts';
import { cluster, ownCluster } from './cluster.ts';

const run = promisify(execFile);
/** Brokers look at ten seconds, in which the records are a sixth more than this. */
const BYTES_PER_SECOND = 30_000;
const RECORDS = 7;

interface Asked {
  readonly name: string;
  readonly node: number;
  readonly at: number;
  answeredAt: number;
  throttleMs: number;
}

/** Requests as they are made, by the transport itself. */
function watchRequests(): Asked[] {
  const asked: Asked[] = [];
  const { request } = Cluster.prototype;
  vi.spyOn(Cluster.prototype, 'request').mockImplementation(async function (this: Cluster, ...call) {
    const [node, , { name }] = call;
    const entry: Asked = { name, node, at: performance.now(), answeredAt: Number.POSITIVE_INFINITY, throttleMs: 0 };
    asked.push(entry);
    const answer = await request.apply(this, call);
    entry.answeredAt = performance.now();
    entry.throttleMs = (answer as { readonly throttleMs?: number }).throttleMs ?? 0;
    return answer;
  });
  return asked;
}

describe.runIf(ownCluster)('a quota of the brokers', () => {
  let brokers: readonly string[] = [];

  beforeAll(async () => {
    ({ brokers } = await cluster());
    const limits = `producer_byte_rate=${BYTES_PER_SECOND},consumer_byte_rate=${BYTES_PER_SECOND}`;
    const change = ['--alter', '--add-config', limits, '--entity-type', 'clients', '--entity-name', 'slow'];
    const tool = ['-XX:TieredStopAtLevel=1', '-cp', await kafkaClassPath(), 'kafka.admin.ConfigCommand'];
    await run('java', [...tool, '--bootstrap-server', brokers[0]!, ...change]);
  });
  afterEach(() => void vi.restoreAllMocks());

  /** No request is made before the time is over that the answers to earlier ones asked for. */
  const expectWaits = (asked: readonly Asked[], name: string): void => {
    const requests = asked.filter((each) => each.name === name);
    const throttled = requests.filter(({ throttleMs }) => throttleMs > 0);
    expect(throttled).not.toEqual([]);
    for (const { node, answeredAt, throttleMs } of throttled) {
      const early = requests.filter(
        (each) => each.node === node && each.at > answeredAt && each.at < answeredAt + throttleMs,
      );
      expect(early).toEqual([]);
    }
  };

  it('is kept when writing, and named', async () => {
    const transport = await kafkaTransport({ brokers, clientId: 'slow', guarantee: 'at-least-once' })();
    const topic = unique('throttled');
    await transport.topics.create(topic);
    const asked = watchRequests();
    const session = await transport.group({
      groupId: unique('group'),
      tasks: [{ id: 's/0', partitions: [{ topic, partition: 0 }] }],
      onAssigned: async () => undefined,
      onRevoked: async () => undefined,
      onError: () => undefined,
    });
    // Outputs are those of tasks: before there are any nothing may be written.
    const { generation } = await until('the tasks', () => session.generation > 0 && session);
    const record = values('x'.repeat(50_000));
    for (let i = 0; i < RECORDS; i++) await session.send([batch(topic, 0, record)]);
    const said = await until(
      'what it waits for',
      () => session.waitingFor()?.includes('quota') && session.waitingFor(),
    );
    expect(said).toMatch(/a quota of the brokers: it may write to broker 1 again in \d+ ms/);
    await session.send([batch(topic, 0, values('last'))]);
    await session.commit({ generation, offsets: [{ topic, partition: 0, offset: 1 }], state: [] });
    expectWaits(asked, 'Produce');
    await transport.close();
  });

  it('is kept when reading, and named', async () => {
    const owner = await kafkaTransport({ brokers })();
    const topic = unique('throttled');
    await owner.topics.create(topic);
    for (let i = 0; i < RECORDS; i++) await send(owner, topic, 0, values('x'.repeat(50_000)));
    await owner.close();
    const transport = await kafkaTransport({ brokers, clientId: 'slow' })();
    const asked = watchRequests();
    const fetcher = transport.fetcher({ onReady: () => undefined, maxBytes: 100_000 });
    fetcher.assign(topic, 0, 0);
    const said: string[] = [];
    let records = 0;
    await until('all records', () => {
      const reason = fetcher.waitingFor();
      if (reason !== undefined) said.push(reason);
      records += fetcher.poll(topic, 0)?.count ?? 0;
      return records === RECORDS;
    });
    expect(said.join('\n')).toMatch(/a quota of the brokers: it may read from broker 1 again in \d+ ms/);
    expectWaits(asked, 'Fetch');
    await transport.close();
  });
});
