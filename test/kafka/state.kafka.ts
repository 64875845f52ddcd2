import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  connect,
  countByKey,
  int32,
  type MillraceError,
  type Pipeline,
  run,
  string,
  through,
  to,
  topic,
} from 'millrace';
import { expect, inject, it, onTestFinished } from 'vitest';
import type { StoreId } from '../../src/state/byte-store.ts';
import { localStores } from '../../src/transports/embedded/index.ts';
import { kafkaTransport } from '../../src/transports/kafka/index.ts';
import { batch, readAll, unique, until } from '../contract/support.ts';
import { topicsOf } from '../process/counting.ts';
import { killRounds } from '../process/kill-rounds.ts';

const script = fileURLToPath(new URL('./counter-child.ts', import.meta.url));
const RECORDS = 200;
const KEYS = 7;
const PARTITIONS = [0, 1];

it('is continued from a folder after kill -9, exactly once', { timeout: 180_000 }, async () => {
  const brokers = inject('brokers');
  const transport = await kafkaTransport({ brokers })();
  onTestFinished(() => transport.close());
  const stateDir = await mkdtemp(join(tmpdir(), 'millrace-state-'));
  onTestFinished(() => rm(stateDir, { recursive: true, force: true }));
  const [from, into, applicationId] = [unique('from'), unique('into'), unique('counter')];
  await transport.topics.create(from, { partitions: 2 });
  await transport.topics.create(into, { partitions: 2 });
  const producer = transport.producer();
  let sent = 0;
  const publish = async (): Promise<void> => {
    await producer.send(
      PARTITIONS.map((partition) =>
        batch(
          from,
          partition,
          Array.from({ length: RECORDS }, (_, i) => ({ key: `${partition}-${i % KEYS}`, value: '1' })),
        ),
      ),
    );
    sent += RECORDS * PARTITIONS.length;
  };
  const counted = async (): Promise<number> => {
    const rows = (await Promise.all(PARTITIONS.map((partition) => readAll(transport, into, partition)))).flat();
    return [...new Map(rows.map(({ key, value }) => [key, value])).values()].reduce((sum, n) => sum + Number(n), 0);
  };
  const start = (): { commits(): number; kill(): Promise<unknown> } => {
    const options = { brokers, applicationId, from, into, stateDir };
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify(options)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let commits = 0;
    createInterface({ input: child.stdout }).on('line', (line) => (commits = Number(line.slice('commits '.length))));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    return {
      commits: () => commits,
      kill: () => {
        child.kill('SIGKILL');
        return ended;
      },
    };
  };
  const id = (partition: number): StoreId => ({ applicationId, store: 'counts', partition });
  const foreign = Uint8Array.of(0xff, 0xff, 0xff);

  for (let round = 0; round < 3; round++) {
    const child = start();
    await publish();
    // The first commit says where partitions begin, so that it tells nothing of state: these records are in it once they
    // are counted and one more commit is through.
    const deadline = performance.now() + 60_000;
    while ((await counted()) < sent && performance.now() < deadline);
    const before = child.commits();
    await publish();
    await until('one more commit', () => child.commits() > before || undefined, 60_000);
    await publish();
    await child.kill();
    const stores = await localStores(stateDir)(applicationId);
    for (const partition of PARTITIONS) {
      expect([...stores.open(id(partition)).range()].length, 'the state is there').toBeGreaterThanOrEqual(KEYS);
      // A row that no changelog knows: it stays as long as the store is brought forward and not made anew.
      if (round === 0) stores.apply([{ id: id(partition), keys: [foreign], values: [foreign] }]);
      else expect(stores.open(id(partition)).get(foreign), 'the store was kept').toEqual(foreign);
    }
    await stores.close();
  }
  const last = start();
  await until('the end', () => last.commits() > 0 || undefined, 60_000);
  let sum = 0;
  for (const deadline = performance.now() + 60_000; sum !== sent && performance.now() < deadline; )
    sum = await counted();
  expect(sum, 'records counted').toBe(sent);
  await last.kill();
});

it.each(['at-least-once', 'exactly-once'] as const)(
  'is compared with the committed offsets at a start, %s',
  { timeout: 120_000 },
  async (guarantee) => {
    const brokers = inject('brokers');
    const id = unique('compared');
    const client = await connect({ brokers });
    onTestFinished(() => client.close());
    const numbers = topic(`${id}-in`, { key: string(), value: int32(), partitions: 1 });
    const counts = topic(`${id}-out`, { key: string(), value: int32(), partitions: 1 });
    const pipeline = numbers.pipe(countByKey({ store: 'counts' }), to(counts));
    const outcome = (): Promise<string> =>
      run(pipeline, { applicationId: id, brokers, until: 'end', kafka: { guarantee }, startFrom: 'latest' }).done.then(
        () => 'done',
        (error: MillraceError) => error.code,
      );
    const publish = async (count: number): Promise<void> => {
      await client.publishAll(
        numbers,
        Array.from({ length: count }, (_, value) => ({ key: 'a', value })),
      );
    };
    const last = async (): Promise<number | undefined> => {
      const values: number[] = [];
      await client.records(counts, { from: 'earliest', until: 'end' }).forEach(({ value }) => values.push(value));
      return values.at(-1);
    };
    await client.topics.create(numbers);
    expect(await outcome()).toBe('done');
    expect([...(await client.committed(id, numbers))], 'where an idle partition begins').toEqual([[0, 0]]);
    await publish(3);
    expect(await outcome()).toBe('done');
    expect(await last()).toBe(3);
    await client.setCommitted(id, numbers, [1]);
    expect(await outcome()).toBe('ERR_OFFSET_BEHIND_STATE');
    await client.setCommitted(id, numbers, [3]);
    await publish(1);
    expect(await outcome()).toBe('done');
    expect(await last()).toBe(4);
    await client.topics.delete(`${id}-counts-changelog`);
    expect(await outcome()).toBe('ERR_STATE_LOST');
    await client.setCommitted(id, numbers, [4]);
    await publish(2);
    expect(await outcome()).toBe('done');
    expect(await last(), 'empty, from where it was told').toBe(2);
  },
);

it.each(['at-least-once', 'exactly-once'] as const)(
  'is refused where the application went on without its store, also behind a shuffle, %s',
  { timeout: 120_000 },
  async (guarantee) => {
    const brokers = inject('brokers');
    const id = unique('left-out');
    const client = await connect({ brokers });
    onTestFinished(() => client.close());
    const use = { key: string(), value: int32(), partitions: 1 };
    const [numbers, counts] = [topic(`${id}-in`, use), topic(`${id}-out`, use)];
    const [copies, shuffle] = [topic(`${id}-copies`, use), topic(`${id}-shuffle`, use)];
    const direct = numbers.pipe(countByKey({ store: 'counts' }), to(counts));
    const behind = numbers.pipe(through(shuffle), countByKey({ store: 'counts' }), to(counts));
    const copy = numbers.pipe(to(copies));
    const outcome = async (pipeline: Pipeline): Promise<string> => {
      await client.publishAll(numbers, [{ key: 'a', value: 1 }]);
      const app = run(pipeline, { applicationId: id, brokers, until: 'end', kafka: { guarantee } });
      return app.done.then(
        () => 'done',
        ({ code, lastOffset, offset }: MillraceError) => `${code} ${offset} to ${lastOffset}`,
      );
    };
    const last = async (): Promise<number | undefined> => {
      const values: number[] = [];
      await client.records(counts, { from: 'earliest', until: 'end' }).forEach(({ value }) => values.push(value));
      return values.at(-1);
    };
    for (const pipeline of [direct, behind, direct]) expect(await outcome(pipeline)).toBe('done');
    expect(await outcome(copy)).toBe('done');
    expect(await outcome(direct)).toBe('ERR_STATE_BEHIND 3 to 3');
    await client.setCommitted(id, numbers, [3]);
    expect(await outcome(behind)).toBe('done');
    expect(await last(), 'those were processed again').toBe(6);
    expect(await outcome(copy)).toBe('done');
    for (const pipeline of [behind, direct]) expect(await outcome(pipeline)).toBe('ERR_STATE_BEHIND 6 to 6');
    await client.setCommitted(id, numbers, [7]);
    expect(await outcome(behind)).toBe('done');
    expect(await last(), 'one is passed over').toBe(9);
  },
);

it('of a process step says everything once, on records and on both clocks, after kill -9', {
  timeout: 240_000,
}, async () => {
  const log = { brokers: inject('brokers') };
  await killRounds(topicsOf(unique('from'), unique('into')), log, {
    applicationId: unique('counting'),
    commitInterval: '50ms',
    kafka: { guarantee: 'exactly-once', sessionTimeoutMs: 3000, heartbeatIntervalMs: 300, transactionTimeoutMs: 6000 },
  });
});
