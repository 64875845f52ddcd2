import type { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { randomNumbers } from '../random.ts';
import { ChangingTopic, type Marks } from './changing-topic.ts';
import { CountingRun, type Verdict } from './counting-run.ts';
import { FaultTimes } from './fault-times.ts';
import { Lookout } from './lookout.ts';
import { countingOptions, killOne, stopOne } from './pipeline-faults.ts';

/** What all faults together have done to a history. */
export interface MixedVerdict {
  readonly exactlyOnce: Verdict;
  readonly atLeastOnce: Verdict;
  readonly marks: Marks;
  /** What was done after a fault, but later than it has to be. */
  readonly late: readonly string[];
}

/**
 * Everything at once on three brokers, for as many minutes as given: processes killed, stopped for longer than a session,
 * and replaced in good order; brokers killed and restarted; user code that blocks its process; a topic that gets partitions,
 * and is deleted and made again. Two pipelines that count, one for each guarantee, and one that copies; at the end their
 * outputs are compared with a direct computation.
 */
export async function breakEverything(nodes: KafkaCluster, minutes: number): Promise<MixedVerdict> {
  const random = randomNumbers();
  const times = new FaultTimes();
  const exactly = await CountingRun.start(nodes.brokers, countingOptions('exactly-once'), true);
  const least = await CountingRun.start(nodes.brokers, countingOptions('at-least-once'), true);
  const changing = await ChangingTopic.start(nodes.brokers);
  const lookout = await Lookout.open(nodes.brokers);
  const either = (): CountingRun => (random() < 0.5 ? exactly : least);
  const which = (): number => (random() < 0.5 ? 0 : 1);
  const faults: readonly (readonly [weight: number, fault: () => Promise<void>])[] = [
    [4, () => killOne(either(), times, which())],
    [2, () => stopOne(either(), times, which())],
    [2, () => replaceOne(either(), times, which())],
    [1, () => breakNode(nodes, lookout, [exactly, least], times, random() < 0.5 ? 'killed' : 'restarted')],
    [2, () => changing.addPartition()],
    [2, () => changing.recreate()],
  ];
  const total = faults.reduce((sum, [weight]) => sum + weight, 0);
  const until = performance.now() + minutes * 60_000;
  try {
    for (let round = 0; performance.now() < until; round++) {
      await changing.publish(50);
      await pause(random() * 1000);
      // What was published into a topic that is deleted next may be lost with it; in other rounds nothing may be.
      if (random() < 0.5) await changing.copied(90_000);
      let left = random() * total;
      const chosen = faults.find(([weight]) => (left -= weight) < 0) ?? faults[0]!;
      await chosen[1]();
    }
    await changing.publish(50);
    await changing.copied(90_000);
    const verdict = {
      exactlyOnce: await exactly.finish(),
      atLeastOnce: await least.finish(),
      marks: changing.marks(),
      late: [...exactly.late, ...least.late],
    };
    report(minutes, verdict);
    return verdict;
  } finally {
    console.log(times.table());
    await lookout.close();
    await changing.close();
    await exactly.close();
    await least.close();
  }
}

/** A process leaves in good order and another takes its place, as in a rolling update. */
async function replaceOne(run: CountingRun, times: FaultTimes, which: number): Promise<void> {
  const began = performance.now();
  await run.processes[which]!.end('SIGTERM');
  run.replace(which);
  await run.resumed(times, 'process replaced', began, began);
  await run.shared();
}

async function breakNode(
  nodes: KafkaCluster,
  lookout: Lookout,
  runs: readonly CountingRun[],
  times: FaultTimes,
  how: 'killed' | 'restarted',
): Promise<void> {
  await lookout.inSync();
  const node = await lookout.leader(runs[0]!.topics.byUser);
  const began = performance.now();
  await (how === 'killed' ? nodes.kill([node]) : nodes.stop([node]));
  await lookout.replaced(node);
  const replaced = performance.now();
  await Promise.all(runs.map((run) => run.resumed(times, `broker ${how}`, began, replaced)));
  await nodes.restart([node]);
}

function report(minutes: number, { exactlyOnce, atLeastOnce, late, marks }: MixedVerdict): void {
  const line = ({ records, publishedTwice, rows, lost, repeated, wrong }: Verdict): string =>
    `${records} records in (${publishedTwice} twice), ${rows} rows; ${lost.length} lost, ${repeated.length} twice, ${wrong.length} wrong`;
  const ends = [...marks.ends].map(([code, count]) => `${code} ${count} times`).join(', ') || 'never';
  console.log(
    [
      `everything at once for ${minutes} min`,
      `exactly once: ${line(exactlyOnce)}`,
      `at least once: ${line(atLeastOnce)}`,
      `copied: ${marks.published} records of a topic that lived ${marks.lives} times, ${marks.missing.length} missing; ended by itself: ${ends}`,
      `too late: ${late.length} times`,
      ...late,
    ].join('\n'),
  );
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
