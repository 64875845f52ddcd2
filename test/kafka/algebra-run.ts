import { connect } from 'millrace';
import { kafkaTransport } from 'millrace/kafka';
import type { Transport } from '../../src/log/transport.ts';
import { readAll, unique, until } from '../contract/support.ts';
import { randomNumbers } from '../random.ts';
import { BLOCK, type Judgement, numbersFrom, type OutputRow, PARTITIONS, type Workload } from './algebra.ts';
import { allWork } from './algebra-kinds.ts';
import { CountingProcess } from './counting-process.ts';

/** For how long is waited for what has to come: a process that dies is missed after a session, and replayed by another. */
const LIMIT_MS = 300_000;
const BLOCK_MS = 1000;

/** What came of one of the pipelines. */
interface Killed extends Judgement {
  readonly kind: string;
  readonly numbers: number;
  readonly rows: number;
  /** Records of aborted transactions in the output. */
  readonly aborted: number;
}

/**
 * Two processes run all pipelines as one application, input keeps flowing, and one after the other is killed; each time what
 * is there then must be read and committed. In the end all windows are closed, and the output of each is compared with a
 * direct computation.
 */
export async function killAgainAndAgain(brokers: readonly string[], kills: number): Promise<Killed[]> {
  const name = unique('algebra');
  const work = allWork(name);
  const client = await connect({ brokers });
  const transport = await kafkaTransport({ brokers })();
  for (const topic of work.flatMap(({ topics }) => topics))
    await client.topics.create(topic, { partitions: PARTITIONS });
  const kafka = {
    guarantee: 'exactly-once',
    sessionTimeoutMs: 3000,
    heartbeatIntervalMs: 300,
    transactionTimeoutMs: 60_000,
  } as const;
  const launch = (): CountingProcess => new CountingProcess({ name, brokers, kafka }, 'algebra');
  const processes = [launch(), launch()];
  const told = (): string => processes.map(({ history }, n) => [`process ${n}`, ...history].join('\n  ')).join('\n');
  const wait = (what: string, condition: () => boolean): Promise<unknown> =>
    until(what, () => alive(processes) && condition(), LIMIT_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}\n${told()}`);
    });

  const start = Math.floor(Date.now() / 1000) * 1000;
  const feed = { count: 0, stop: false };
  const feeding = (async () => {
    while (!feed.stop) {
      const pause = new Promise((resolve) => setTimeout(resolve, BLOCK_MS));
      await Promise.all([...work.map(({ publish }) => publish(client, start, numbersFrom(feed.count))), pause]);
      feed.count += BLOCK;
    }
  })();
  feeding.catch(() => undefined);
  const allCommitted = async (): Promise<void> => {
    const ends = await endsOf(
      transport,
      work.flatMap(({ read }) => read),
    );
    const deadline = performance.now() + LIMIT_MS;
    while (!(await isCommitted(transport, name, ends))) {
      if (performance.now() > deadline) throw new Error(`${JSON.stringify([...ends])} in vain\n${told()}`);
      alive(processes);
    }
  };

  try {
    const random = randomNumbers();
    for (let round = 0; round < kills; round++) {
      await wait('both processes to have tasks', () => processes.every(({ state }) => state.tasks.length > 0));
      await new Promise((resolve) => setTimeout(resolve, random() * 1000));
      await processes[round % 2]?.end('SIGKILL');
      processes[round % 2] = launch();
      await allCommitted();
    }
    feed.stop = true;
    await feeding;
    await allCommitted();
    for (const { close } of work) await close(client, start, feed.count);
    await allCommitted();
    // Rows of stages behind it come a little later; what has not come by then is lost.
    const deadline = performance.now() + LIMIT_MS;
    const judge = async (each: Workload): Promise<Judgement> =>
      each.judge(await rowsOf(transport, each), start, feed.count);
    for (const each of work) {
      while ((await judge(each)).lost.length > 0 && performance.now() < deadline) alive(processes);
    }
    await Promise.all(processes.map((each) => each.end('SIGTERM')));
    const killed: Killed[] = [];
    for (const each of work) {
      const rows = (await rowsOf(transport, each)).length;
      const aborted = (await rowsOf(transport, each, 'uncommitted')).length - rows;
      killed.push({ kind: each.kind, numbers: feed.count, rows, aborted, ...(await judge(each)) });
    }
    return killed;
  } finally {
    feed.stop = true;
    await Promise.all(processes.map((each) => each.end('SIGKILL')));
    await feeding.catch(() => undefined);
    await client.close();
    await transport.close();
  }
}

function alive(processes: readonly CountingProcess[]): true {
  const gone = processes.find((each) => !each.running);
  if (gone === undefined) return true;
  throw new Error(`a process has ended: ${gone.warnings.slice(-5).join('\n')}`);
}

type Ends = ReadonlyMap<string, ReadonlyMap<number, number>>;

async function endsOf(transport: Transport, topics: readonly string[]): Promise<Ends> {
  return new Map(
    await Promise.all(topics.map(async (topic) => [topic, await transport.offsets(topic, 'latest')] as const)),
  );
}

async function isCommitted(transport: Transport, name: string, ends: Ends): Promise<boolean> {
  const partitions = [...ends].flatMap(([topic, offsets]) =>
    [...offsets].filter(([, end]) => end > 0).map(([partition]) => ({ topic, partition })),
  );
  const committed = await transport.committed(name, partitions);
  const behind = partitions.filter(({ partition, topic }) => {
    const found = committed.find((each) => each.topic === topic && each.partition === partition);
    return (found?.offset ?? 0) < (ends.get(topic)?.get(partition) ?? 0);
  });
  return behind.length === 0;
}

async function rowsOf(
  transport: Transport,
  { output }: Workload,
  isolation: 'committed' | 'uncommitted' = 'committed',
): Promise<OutputRow[]> {
  const rows: OutputRow[] = [];
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const found = await readAll(transport, output, partition, undefined, isolation);
    for (const { key, value } of found) rows.push({ key: key ?? '', value });
  }
  return rows;
}
