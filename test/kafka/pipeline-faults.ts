import { expect } from 'vitest';
import type { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { until } from '../contract/support.ts';
import { randomNumbers } from '../random.ts';
import { CountingRun, type Verdict } from './counting-run.ts';
import { FaultTimes } from './fault-times.ts';
import { Lookout } from './lookout.ts';

const SESSION_MS = 3000;

/** How often each fault is made. */
export interface Rounds {
  readonly kills: number;
  readonly stops: number;
  readonly restarts: number;
  readonly crashes: number;
}

type Guarantee = 'at-least-once' | 'exactly-once';

/**
 * Options of the processes: a shorter session, so that tests need not wait so long, and longer transactions, so that no
 * test passes because what was left open has expired.
 */
export const countingOptions = (guarantee: Guarantee) =>
  ({
    guarantee,
    sessionTimeoutMs: SESSION_MS,
    heartbeatIntervalMs: SESSION_MS / 10,
    transactionTimeoutMs: 60_000,
  }) as const;

/** Breaks the processes of a pipeline and their broker, again and again, and compares the output at the end. */
export async function breakPipeline(broker: KafkaCluster, guarantee: Guarantee, rounds: Rounds): Promise<Verdict> {
  const random = randomNumbers();
  const times = new FaultTimes();
  const run = await CountingRun.start(broker.brokers, countingOptions(guarantee));
  const lookout = await Lookout.open(broker.brokers);
  try {
    for (let round = 0; round < rounds.kills; round++) {
      await pause(random() * 1000);
      await killOne(run, times, round % 2);
    }
    for (let round = 0; round < rounds.stops; round++) {
      await pause(random() * 1000);
      await stopOne(run, times, round % 2);
    }
    for (let round = 0; round < rounds.restarts; round++) {
      await pause(random() * 1000);
      await outage(run, times, 'broker restarted', broker, () => broker.stop());
    }
    for (let round = 0; round < rounds.crashes; round++) {
      await pause(random() * 1000);
      if (guarantee === 'exactly-once') await lookout.transactionIn(run.topics.byUser);
      await outage(run, times, 'broker killed', broker, () => broker.kill());
    }
    const verdict = await run.finish();
    report(guarantee, verdict);
    return verdict;
  } catch (error) {
    console.error(`open transactions: ${JSON.stringify(await lookout.openTransactions(run.name))}`);
    throw error;
  } finally {
    console.log(times.table());
    await lookout.close();
    await run.close();
  }
}

/** Kills the brokers that matter most, one after the other, and compares the output at the end. */
export async function breakNodes(nodes: KafkaCluster, rounds: number): Promise<Verdict> {
  const times = new FaultTimes();
  const run = await CountingRun.start(nodes.brokers, countingOptions('exactly-once'));
  const lookout = await Lookout.open(nodes.brokers);
  const { byUser } = run.topics;
  const inTransaction = async (): Promise<number> => {
    const node = await lookout.leader(byUser);
    await lookout.transactionIn(byUser);
    return node;
  };
  const victims: [string, () => Promise<number>][] = [
    ['leader of a partition of the shuffle killed', () => lookout.leader(byUser)],
    ['coordinator of the group killed', () => lookout.coordinator(run.name)],
    ['coordinator of transactions killed', () => lookout.transactionCoordinator(run.name)],
    ['leader killed in the middle of a transaction', inTransaction],
    ['leader killed in the middle of a transaction', inTransaction],
  ];
  try {
    for (let round = 0; round < rounds; round++) {
      for (const [fault, victim] of victims) {
        await lookout.inSync();
        const node = await victim();
        const began = performance.now();
        await nodes.kill([node]);
        // The cluster takes its time to notice. From then on it is up to the processes.
        await lookout.replaced(node);
        const replaced = performance.now();
        times.add('a broker killed: the cluster has new leaders', replaced - began, []);
        await run.resumed(times, fault, began, replaced);
        await nodes.restart([node]);
      }
    }
    const verdict = await run.finish();
    report('three brokers, exactly-once', verdict);
    return verdict;
  } finally {
    console.log(times.table());
    await lookout.close();
    await run.close();
  }
}

/** Nothing is lost, nothing is there twice, and nothing is seen that was aborted: each row is as it was computed. */
export function expectExactlyOnce({ publishedTwice, lost, repeated, wrong }: Verdict): void {
  expect({ publishedTwice, lost, repeated, wrong }).toEqual({ publishedTwice: 0, lost: [], repeated: [], wrong: [] });
}

export async function killOne(run: CountingRun, times: FaultTimes, which: number): Promise<void> {
  const began = performance.now();
  await run.processes[which]!.end('SIGKILL');
  run.replace(which);
  await run.resumed(times, 'process killed', began, began);
  await run.shared();
}

export async function stopOne(run: CountingRun, times: FaultTimes, which: number): Promise<void> {
  const zombie = run.processes[which]!;
  const other = run.processes[1 - which]!;
  const began = performance.now();
  zombie.signal('SIGSTOP');
  // Longer than the session: the other one has taken everything over.
  await until(
    () => `the tasks of the stopped process to be taken over; the other one has ${JSON.stringify(other.state)}`,
    () => other.state.tasks.length === 4,
  );
  await run.resumed(times, 'process stopped: the other one goes on', began, began);
  zombie.signal('SIGCONT');
  const woken = performance.now();
  await run.resumed(times, 'process stopped, after it was woken', began, woken);
  await run.shared();
}

async function outage(
  run: CountingRun,
  times: FaultTimes,
  fault: string,
  broker: KafkaCluster,
  end: () => Promise<void>,
): Promise<void> {
  const began = performance.now();
  await end();
  await broker.restart();
  await run.resumed(times, fault, began, performance.now());
  for (const process of run.processes) {
    expect(process.waitedFor(began), `what a process waited for: ${JSON.stringify(process)}`).not.toEqual([]);
  }
  await run.shared();
}

function report(title: string, verdict: Verdict): void {
  const { records, publishedTwice, rows, lost, repeated, wrong, aborted } = verdict;
  console.log(
    `${title}: ${records} records in (${publishedTwice} twice), ${rows} rows out; ${lost.length} lost, ${repeated.length} twice, ` +
      `${wrong.length} wrong; ${aborted} records of aborted transactions are in the log`,
  );
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
