import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { KafkaCluster } from '../scripts/kafka/cluster.ts';
import { whyNoKafka } from '../scripts/kafka/java.ts';
import type { DelayRun } from './delay.bench.ts';
import { contestants, loopName, millraceName, Race, streamsName } from './kafka/race.ts';
import { buildStreams } from './kafka/streams.ts';
import { WORKS, type Work } from './kafka/works.ts';
import { inChild } from './shared/child.ts';
import { type BenchOptions, percentile, type Row, type RowOptions, rowOf, showNumber } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';
import { idleShare } from './start.bench.ts';

const LOWER: RowOptions = { higherIsBetter: false };

/**
 * What Kafka's own scripts start a broker with. The collector of the tests, which takes less memory, stops the broker for
 * more than 10 ms twice a second.
 */
const JAVA_OPTIONS = [
  '-server',
  '-Xms1g',
  '-Xmx1g',
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
];

/** How many times as fast Millrace is to be as others. */
const TIMES_STREAMS: Partial<Record<Work, number>> = {
  map: 1.7,
  'count-1m': 2.5,
  'count-10m': 2.5,
  shuffle: 1.7,
  sessions: 1.7,
  'stream-join': 1.7,
  'table-join': 1.7,
};
const TIMES_LOOP: Partial<Record<Work, number>> = { map: 5, 'count-1m': 3, 'count-10m': 1.8 };

/** The same works done by Millrace, by Kafka Streams and by hand with kafkajs, on one broker. */
export function run(options: BenchOptions): Promise<Row[]> {
  return withBroker(async (brokers) => {
    return [
      ...(await races(brokers, options)),
      ...(await delayRows(brokers, options)),
      ...(await idleRows(brokers, options)),
    ];
  });
}

async function withBroker<T>(work: (brokers: readonly string[]) => Promise<T>): Promise<T> {
  const given = process.env['KAFKA_BROKERS'] ?? '';
  if (given !== '') return work(given.split(','));
  const reason = await whyNoKafka();
  if (reason !== undefined) throw new Error(`${reason}. Or name a broker in KAFKA_BROKERS.`);
  return withScratch(async (path) => {
    const cluster = await KafkaCluster.start({ folder: join(path, 'kafka'), javaOptions: JAVA_OPTIONS });
    // A broker is a process of its own, which outlives this one when it is interrupted.
    const kill = (): void => {
      const pid = cluster.pidOf(1);
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
      rmSync(path, { recursive: true, force: true });
    };
    process.once('exit', kill);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
    try {
      return await work(cluster.brokers);
    } finally {
      await cluster.remove();
      process.off('exit', kill);
    }
  });
}

/** All contestants, round by round, so that what else the machine does befalls all of them. */
async function races(brokers: readonly string[], options: BenchOptions): Promise<Row[]> {
  const { match = '', quick, records = quick ? 50_000 : 2_000_000, runs = quick ? 1 : 3 } = options;
  const all = contestants().filter(({ name }) => name.includes(match));
  if (all.length === 0) return [];
  await buildStreams();
  await inChild(new URL('kafka/fill.ts', import.meta.url).href, 'fillTopics', brokers, records);
  const rates = new Map<string, number[]>(all.map(({ name }) => [name, []]));
  const race = new Race(brokers, records);
  let wrongs = 0;
  for (let round = 0; round < runs; round += 1) {
    for (const contestant of all) {
      const { rate, wrong } = await race.run(contestant);
      // It takes long, and may be cut short.
      if (rate !== undefined) console.error(`${contestant.name}: ${showNumber(rate)} records/s`);
      if (rate !== undefined) rates.get(contestant.name)?.push(rate);
      if (wrong === undefined) continue;
      wrongs += 1;
      console.error(`${contestant.name}: ${wrong}`);
    }
  }
  return [
    ...[...rates].flatMap(([name, samples]) => (samples.length === 0 ? [] : rowOf(name, 'records/s', samples))),
    ...ratioRows((name) => rates.get(name) ?? []),
    rowOf('outputs with wrong rows', 'outputs', [wrongs], { ...LOWER, target: 0, required: true }),
  ];
}

function ratioRows(rates: (name: string) => readonly number[]): Row[] {
  const row = (title: string, above: string, below: string, target: number): Row => {
    const divisors = rates(below);
    const samples = rates(above).map((rate, round) => rate / (divisors[round] ?? Number.NaN));
    return rowOf(title, 'times', samples, { target });
  };
  return WORKS.flatMap((work) => {
    const rows: Row[] = [];
    const ours = millraceName(work, 'at-least-once');
    const transactional = millraceName(work, 'exactly-once');
    const beside = TIMES_STREAMS[work];
    if (beside !== undefined) {
      for (const guarantee of ['at-least-once', 'exactly-once'] as const) {
        const title = `${work}: Millrace / Kafka Streams, ${guarantee}`;
        rows.push(row(title, millraceName(work, guarantee), streamsName(work, guarantee, 'off'), beside));
      }
    }
    const byHand = TIMES_LOOP[work];
    if (byHand !== undefined) rows.push(row(`${work}: Millrace / kafkajs loop`, ours, loopName(work), byHand));
    if (work === 'map') {
      rows.push(row('map: Millrace / raw path', ours, 'raw fetch + parse + stringify + produce', 0.7));
    }
    rows.push(row(`${work}: exactly-once / at-least-once`, transactional, ours, 0.9));
    return rows.filter(({ median }) => !Number.isNaN(median));
  });
}

async function delayRows(brokers: readonly string[], { match = '', quick }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const module = new URL('delay.bench.ts', import.meta.url).href;
  const [warmUp, records] = quick ? [100, 400] : [2_000, 8_000];
  for (const guarantee of ['at-least-once', 'exactly-once'] as const) {
    const title = `delay at 1,000 records/s, ${guarantee}`;
    if (!title.includes(match)) continue;
    const runs: number[][] = [];
    for (let at = 0; at < (quick ? 1 : 3); at += 1) {
      const where: DelayRun = {
        log: { brokers, kafka: { guarantee } },
        name: `delay-${process.pid}-${guarantee}-${at}`,
      };
      runs.push(await inChild<number[]>(module, 'delays', where, false, warmUp, records));
    }
    for (const [name, share] of Object.entries({ p50: 0.5, p99: 0.99, 'p99.9': 0.999 })) {
      const target = guarantee === 'at-least-once' && name === 'p99' ? { target: 10 } : {};
      const samples = runs.map((sorted) => percentile(sorted, share));
      rows.push(rowOf(`${title}: ${name}`, 'ms', samples, { ...LOWER, ...target }));
    }
  }
  return rows;
}

async function idleRows(brokers: readonly string[], { match = '', quick }: BenchOptions): Promise<Row[]> {
  const title = 'idle application on Kafka';
  if (!title.includes(match)) return [];
  const samples: number[] = [];
  for (let at = 0; at < (quick ? 1 : 3); at += 1) samples.push(await idleShare({ brokers }, quick));
  return [rowOf(title, '% of a core', samples, { ...LOWER, target: 0.5 })];
}
