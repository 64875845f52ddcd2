import { existsSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { AlwaysOnSampler, BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import { type App, connect, filterValues, int32, mapValues, run as runPipeline, string, to, topic } from 'millrace';
import { openTelemetry } from 'millrace/opentelemetry';
import { inChild } from './shared/child.ts';
import { type BenchOptions, type Row, rowOf } from './shared/row.ts';
import { withScratch } from './shared/scratch.ts';

const RATE = 200_000;
const EVERY_MS = 20;
/** How often Prometheus and OpenTelemetry ask: three times as often as they usually do, or more. */
const ASKED_MS = 5000;
const PARTITIONS = 4;

const numbers = topic('numbers', { key: string(), value: int32(), partitions: PARTITIONS });

/**
 * `metrics` is all at once: the dashboard with a page that is open, Prometheus, and OpenTelemetry with its SDK. `traces` is that, with spans of OpenTelemetry too.
 */
type Reported = 'nothing' | 'metrics' | 'traces';

/** What a process is to read, and for how long it is measured. */
export interface Reader {
  readonly path: string;
  readonly name: string;
  readonly reported: Reported;
  readonly port: number;
  /** Records before that, so that the process is warm. */
  readonly warmUp: number;
  readonly ms: number;
}

export interface Cost {
  readonly cpuMs: number;
  readonly records: number;
}

/** A file that says that enough was read. */
const overIn = (path: string): string => join(path, 'over');

/** Publishes records at the rate until it is over. */
export async function feed(path: string): Promise<void> {
  const client = await connect({ path });
  const amount = (RATE * EVERY_MS) / 1000;
  for (let due = Date.now(); !existsSync(overIn(path)); due += EVERY_MS) {
    const records = Array.from({ length: amount }, (_, n) => ({ key: `k${n % 1000}`, value: n, timestamp: due }));
    await client.publishAll(numbers, records);
    await setTimeout(Math.max(0, due + EVERY_MS - Date.now()));
  }
  await client.close();
}

/** Reads what is published, with a step that maps and one that filters, and measures this process. */
export async function read({ ms, name, path, port, reported, warmUp }: Reader): Promise<Cost> {
  const output = topic(`${name}-out`, { key: string(), value: int32(), partitions: PARTITIONS });
  const app = runPipeline(
    numbers.pipe(
      mapValues((value) => value + 1),
      filterValues((value) => value % 2 === 0),
      to(output),
    ),
    {
      applicationId: name,
      path,
      logger: false,
      startFrom: 'latest',
      ...(reported === 'nothing' ? {} : { dashboard: { port } }),
    },
  );
  await app.ready;
  const end = reported === 'nothing' ? undefined : reportTo(app, reported);
  while (recordsOf(app) < warmUp) await setTimeout(20);
  const cpu = process.cpuUsage();
  const before = recordsOf(app);
  await setTimeout(ms);
  const { system, user } = process.cpuUsage(cpu);
  const records = recordsOf(app) - before;
  await app.stop();
  await end?.();
  return { cpuMs: (system + user) / 1000, records };
}

const recordsOf = (app: App): number => app.snapshot().recordsIn;

function reportTo(app: App, reported: Reported): () => Promise<void> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: ASKED_MS,
    exportTimeoutMillis: 1000,
  });
  const meters = new MeterProvider({ readers: [reader] });
  const tracers = new BasicTracerProvider({ sampler: new AlwaysOnSampler() });
  const report = openTelemetry(app, {
    meter: meters.getMeter('bench'),
    tracer: reported === 'traces' && tracers.getTracer('bench'),
  });
  return async () => {
    report.close();
    await Promise.all([meters.shutdown(), tracers.shutdown()]);
  };
}

/** Has the page open, and asks for the metrics, until it is over. */
async function watch(port: number, path: string): Promise<void> {
  const over = (): boolean => existsSync(overIn(path));
  const read = (path: string): Promise<void> =>
    new Promise((resolve) => {
      get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        response.resume();
        response.on('close', resolve);
      }).on('error', () => resolve());
    });
  const page = async (): Promise<void> => {
    while (!over()) {
      await read('/api/live');
      await setTimeout(50);
    }
  };
  const scrape = async (): Promise<void> => {
    for (; !over(); await setTimeout(ASKED_MS)) await read('/metrics');
  };
  await Promise.all([page(), scrape()]);
}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });

/**
 * Two processes read the same records at the same time, one of them reported on: whatever else the machine does, it does to
 * both. @returns By how many % the other one takes more processor time for a record.
 */
async function addedBy(
  reported: Reported,
  warmUp: number,
  ms: number,
): Promise<{ readonly added: number; readonly base: number; readonly rate: number }> {
  return withScratch(async (path) => {
    const client = await connect({ path });
    await client.topics.create(numbers);
    await client.close();
    const port = await freePort();
    const reader = (name: string, what: Reported): Promise<Cost> =>
      inChild<Cost>(import.meta.url, 'read', { path, name, reported: what, port, warmUp, ms });
    const reading = Promise.all([reader('plain', 'nothing'), reader('more', reported)]);
    const over = (): void => writeFileSync(overIn(path), '');
    const [[plain, more]] = await Promise.all([
      reading.finally(over),
      inChild(import.meta.url, 'feed', path),
      watch(port, path),
    ]);
    const [base, seen] = [plain, more].map(({ cpuMs, records }) => (cpuMs * 1e6) / records) as [number, number];
    // What is reported from time to time weighs more where fewer records come: a slower machine makes it look worse, never better.
    return { added: (seen / base - 1) * 100, base, rate: (plain.records * 1000) / ms };
  });
}

/** What it costs to be seen, at 200,000 records/s, in processor time. */
export async function run({ quick, runs = quick ? 1 : 7 }: BenchOptions): Promise<Row[]> {
  const [warmUp, ms] = quick ? [RATE / 2, 2000] : [5 * RATE, 15_000];
  const rate: number[] = [];
  const base: number[] = [];
  const added: Record<'metrics' | 'traces' | 'nothing', number[]> = { nothing: [], metrics: [], traces: [] };
  for (let each = 0; each < runs; each += 1) {
    for (const reported of ['nothing', 'metrics', 'traces'] as const) {
      const found = await addedBy(reported, warmUp, ms);
      added[reported].push(found.added);
      base.push(found.base);
      rate.push(found.rate);
    }
  }
  const lower = { higherIsBetter: false };
  const name = 'telemetry at 200,000 records/s';
  return [
    rowOf(`${name}: what was read`, 'records/s', rate),
    rowOf(`${name}: an application without`, 'ns/record', base, lower),
    rowOf(`${name}: the same once more`, '% of its CPU', added.nothing, lower),
    rowOf(`${name}: dashboard, Prometheus, OpenTelemetry`, '% of its CPU', added.metrics, { ...lower, target: 2 }),
    rowOf(`${name}: the same with traces`, '% of its CPU', added.traces, lower),
  ];
}
