import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  InMemorySpanExporter,
} from '@opentelemetry/sdk-trace-base';
import {
  type App,
  connect,
  filterValues,
  int32,
  mapValues,
  prometheusText,
  run as runPipeline,
  string,
  to,
  topic,
} from 'millrace';
import { openTelemetry } from 'millrace/opentelemetry';
import type { MetricsExporter } from '../src/runtime/app/app-metrics.ts';
import { built } from './shared/built.ts';
import { inChild } from './shared/child.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';
import { type Feed, numbers, PARTITIONS, type Traced } from './telemetry-feed.ts';

/** What comes in 20 ms at 200,000 records/s. The next come when these are read, so a busy machine changes nothing. */
const TICK_RECORDS = 4000;
/** Five seconds of the stream. In stretches of a second an application differed from itself by up to 30 %, in these by up to 11 %. */
const TICKS = 250;
/** Ticks between two collections of all figures: 15 s, as scrapes are usually set up. OpenTelemetry's reader takes 60 s by default. */
const COLLECTION_TICKS = 750;

/**
 * What reports the application while it is measured: `prometheus` is the text, `metrics` OpenTelemetry with its SDK, `traces` is
 * that with spans.
 */
const REPORTED = ['nothing', 'prometheus', 'metrics', 'traces'] as const;
type Reported = (typeof REPORTED)[number];

/** A part of the stream in which an application was reported in one way. */
interface Stretch {
  readonly reported: Reported;
  readonly nsPerRecord: number;
  /** What one collection of all figures takes, in ms of processor time. It is in the time of a record, by its share. */
  readonly collectMs: number;
}

/** What a process is to read. */
export interface Reader extends Feed {
  readonly rounds: number;
  readonly ticks: number;
}

/**
 * Reads what is published, with a step that maps and one that filters. It is reported now in one way and now in another, or
 * not at all: all of that is the same code in the same process, so what else the machine does is the same for each.
 */
export async function read({ rounds, ticks, ...feed }: Reader): Promise<Stretch[][]> {
  const publisher = fork(fileURLToPath(new URL('telemetry-feed.ts', import.meta.url)), [], {
    execArgv: process.execArgv,
  });
  publisher.send(feed);
  let seen = 0;
  const output = topic('out', { key: string(), value: int32(), partitions: PARTITIONS });
  const app = runPipeline(
    numbers.pipe(
      mapValues((value) => {
        seen += 1;
        return value + 1;
      }),
      filterValues((value) => value % 2 === 0),
      to(output),
    ),
    { applicationId: 'app', path: feed.path, logger: false },
  );
  await app.ready;
  const work = (): Promise<void> => tickThrough(publisher, ticks, () => seen);
  const found: Stretch[][] = [];
  // In the first two rounds neither the application nor its reports are warm.
  for (let round = -2; round < rounds; round += 1) {
    // Nothing twice: how far it differs from itself is how far the others can be trusted.
    const each = ['nothing', ...REPORTED] as const;
    const stretches: Stretch[] = [];
    for (let at = 0; at < each.length; at += 1) {
      stretches.push(await stretch(app, each[(round + 2 + at * (1 + (round & 3))) % each.length] as Reported, work));
    }
    if (round >= 0) found.push(stretches);
  }
  await app.stop();
  publisher.disconnect();
  return found;
}

async function tickThrough(publisher: ChildProcess, ticks: number, seen: () => number): Promise<void> {
  for (let tick = 0; tick < ticks; tick += 1) {
    const wanted = seen() + TICK_RECORDS;
    publisher.send(TICK_RECORDS);
    while (seen() < wanted) await setTimeout(1);
  }
}

async function stretch(app: App, reported: Reported, work: () => Promise<void>): Promise<Stretch> {
  const report = await reportOf(app, reported);
  const before = app.snapshot().recordsIn;
  const workMs = await cpuOf(async () => {
    await work();
    await report.exportSpans();
  });
  const records = app.snapshot().recordsIn - before;
  const collectMs = await cpuOf(report.collect);
  await report.close();
  const collections = records / (TICK_RECORDS * COLLECTION_TICKS);
  return { reported, nsPerRecord: ((workMs + collectMs * collections) * 1e6) / records, collectMs };
}

/** Processor time of all threads, in ms. */
async function cpuOf(work: () => unknown): Promise<number> {
  const cpu = process.cpuUsage();
  await work();
  const { system, user } = process.cpuUsage(cpu);
  return (system + user) / 1000;
}

interface Report {
  /** Hands the spans of the stretch to the exporter. */
  exportSpans(): unknown;
  /** Asks for all figures once. */
  collect(): unknown;
  close(): unknown;
}

async function reportOf(app: App, reported: Reported): Promise<Report> {
  const nothing = (): void => undefined;
  if (reported === 'nothing') return { exportSpans: nothing, collect: nothing, close: nothing };
  // That of the application would watch the process from now on, also while nothing is reported.
  const { MetricsExporter } = await built<{ MetricsExporter: new (take: App['snapshot']) => MetricsExporter }>(
    'runtime/app/app-metrics.js',
  );
  const exporter = new MetricsExporter(() => app.snapshot());
  const metrics: App['metrics'] = () => exporter.metrics();
  metrics();
  if (reported === 'prometheus') {
    return { exportSpans: nothing, collect: () => prometheusText(metrics()), close: () => exporter.close() };
  }
  const reader = new PeriodicExportingMetricReader({
    exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
    exportIntervalMillis: 3_600_000,
  });
  const meters = new MeterProvider({ readers: [reader] });
  const spans = new InMemorySpanExporter();
  const tracers = new BasicTracerProvider({
    sampler: new AlwaysOnSampler(),
    spanProcessors: [new BatchSpanProcessor(spans)],
  });
  const report = openTelemetry(Object.assign(Object.create(app) as App, { metrics }), {
    meter: meters.getMeter('bench'),
    tracer: reported === 'traces' && tracers.getTracer('bench'),
  });
  return {
    exportSpans: async () => {
      await tracers.forceFlush();
      spans.reset();
    },
    collect: () => reader.forceFlush(),
    close: async () => {
      report.close();
      exporter.close();
      await Promise.all([meters.shutdown(), tracers.shutdown()]);
    },
  };
}

const HEADERS: Readonly<Record<Traced, string>> = {
  none: 'no headers',
  other: 'a header, no traces',
  some: 'one in a hundred traced',
  all: 'all traced',
};

const NAMES: Readonly<Record<Reported, string>> = {
  nothing: 'the same once more',
  prometheus: 'Prometheus',
  metrics: 'OpenTelemetry, metrics',
  traces: 'OpenTelemetry, metrics and traces',
};

/** By how many % a stretch takes more processor time for a record than those of the same round without reports. */
function addedIn(round: readonly Stretch[], reported: Reported): number {
  const of = (which: Reported): number[] =>
    round.filter((each) => each.reported === which).map(({ nsPerRecord }) => nsPerRecord);
  const [plain, again] = of('nothing') as [number, number];
  if (reported === 'nothing') return (again / plain - 1) * 100;
  const [seen] = of(reported) as [number];
  return (seen / ((plain + again) / 2) - 1) * 100;
}

/** What it costs to be seen, at 200,000 records/s, in processor time. */
export async function run({ match = '', quick, runs = quick ? 1 : 12 }: BenchOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const lower = { higherIsBetter: false };
  for (const traced of ['none', 'other', 'some', 'all'] as const) {
    if (!HEADERS[traced].includes(match)) continue;
    const rounds = await withScratch(async (path) => {
      const client = await connect({ path });
      await client.topics.create(numbers);
      await client.close();
      const reader: Reader = { path, traced, rounds: runs, ticks: quick ? 10 : TICKS };
      return inChild<Stretch[][]>(import.meta.url, 'read', reader);
    });
    const plain = rounds.flat().filter(({ reported }) => reported === 'nothing');
    const name = `telemetry at 200,000 records/s, ${HEADERS[traced]}`;
    rows.push(
      rowOf(
        `${name}: an application without`,
        'ns/record',
        plain.map(({ nsPerRecord }) => nsPerRecord),
        lower,
      ),
      ...REPORTED.map((reported) => {
        const added = rounds.map((round) => addedIn(round, reported));
        const target = reported === 'nothing' ? {} : { target: 2 };
        return rowOf(`${name}: ${NAMES[reported]}`, '% of its CPU', added, { ...lower, ...target });
      }),
    );
  }
  return rows;
}
