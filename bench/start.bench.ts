import type { LogLocation } from 'millrace';
import { inPlainNode } from './shared/child.ts';
import type { Time } from './shared/measure.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';

const importing = (door: string): string => `
  const cpu = process.cpuUsage();
  const start = performance.now();
  await import('${door}');
  const wallMs = performance.now() - start;
  const { system, user } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ wallMs, cpuMs: (system + user) / 1000 }));`;

const timeOf = async (program: string): Promise<Time> => JSON.parse(await inPlainNode(program)) as Time;

/** Eight to ten seconds after a start V8 gives memory back in two full collections, 0.6 % of a core over ten seconds. */
const SETTLE_MS = 12_000;

/** An application with a shuffle, a window and nothing to do. */
const idling = (log: LogLocation, settleMs: number, ms: number): string => `
  import { setTimeout } from 'node:timers/promises';
  import { agg, int32, keyBy, run, string, through, to, topic, tumbling, windowBy } from 'millrace';
  const input = topic('input', { key: string(), value: int32(), partitions: 1 });
  const keyed = topic('keyed', { key: int32(), value: int32(), partitions: 1 });
  const counts = topic('counts', { key: int32(), value: int32(), partitions: 1 });
  const pipeline = input.pipe(
    keyBy((n) => n % 10),
    through(keyed),
    windowBy(tumbling({ size: '1m', grace: '0s' }), agg.count(), { store: 'counts' }),
    to(counts),
  );
  const app = run(pipeline, { applicationId: 'idle', ...${JSON.stringify(log)} });
  while (app.snapshot().state !== 'running') await setTimeout(10);
  await setTimeout(${settleMs});
  const before = process.cpuUsage();
  const start = performance.now();
  await setTimeout(${ms});
  const { system, user } = process.cpuUsage(before);
  console.log((system + user) / 10 / (performance.now() - start));
  await app.stop();`;

/** What an application costs that has had nothing to do for a while, in % of a core. */
export const idleShare = async (log: LogLocation, quick: boolean): Promise<number> =>
  Number(await inPlainNode(quick ? idling(log, 500, 500) : idling(log, SETTLE_MS, 10_000)));

async function wallMs(program: string): Promise<number> {
  const start = performance.now();
  await inPlainNode(program);
  return performance.now() - start;
}

/** What starting costs, and what an application costs that has nothing to do. */
export async function run({ quick }: BenchOptions): Promise<Row[]> {
  const runs = quick ? 2 : 10;
  const imports = new Map<string, Time[]>([
    ['millrace', []],
    ['millrace/testing', []],
    ['millrace/embedded', []],
    ['rxjs', []],
  ]);
  const process: number[] = [];
  for (let at = 0; at < runs; at += 1) {
    for (const [door, samples] of imports) samples.push(await timeOf(importing(door)));
    process.push((await wallMs("await import('millrace')")) - (await wallMs('')));
  }
  const idle: number[] = [];
  for (let at = 0; at < (quick ? 1 : 3); at += 1) {
    await withScratch(async (path) => void idle.push(await idleShare({ path }, quick)));
  }
  const lower = { higherIsBetter: false };
  return [
    ...[...imports].flatMap(([door, times]) => {
      const wanted = door === 'millrace' ? { ...lower, target: 60 } : lower;
      return [
        rowOf(
          `import '${door}'`,
          'ms',
          times.map(({ wallMs }) => wallMs),
          wanted,
        ),
        rowOf(
          `import '${door}', of one core`,
          'ms',
          times.map(({ cpuMs }) => cpuMs),
          lower,
        ),
      ];
    }),
    rowOf("a process with import 'millrace', less one without", 'ms', process, lower),
    rowOf('idle application on the embedded log', '% of a core', idle, { ...lower, target: 0.5 }),
  ];
}
