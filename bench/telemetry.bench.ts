import { get } from 'node:http';
import { createServer } from 'node:net';
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
const PARTITIONS = 4;

const numbers = topic('numbers', { key: string(), value: int32(), partitions: PARTITIONS });

/**
 * `metrics` is all at once, each asked every second: the dashboard with a page that is open, Prometheus, and OpenTelemetry with
 * its SDK. `traces` is that, with spans of OpenTelemetry too.
 */
type Reported = 'nothing' | 'metrics' | 'traces';

/** What a process is to do, with the time of the wall clock between which it is measured. */
export interface Reader {
  readonly path: string;
  readonly name: string;
  readonly reported: Reported;
  readonly port: number;
  readonly from: number;
  readonly until: number;
}

export interface Cost {
  readonly cpuMs: number;
  readonly records: number;
}

const at = (time: number): Promise<void> => setTimeout(Math.max(0, time - Date.now()));

/** Publishes records at the rate until a time. */
export async function feed(path: string, until: number): Promise<void> {
  const client = await connect({ path });
  const amount = (RATE * EVERY_MS) / 1000;
  for (let due = Date.now(); due < until; due += EVERY_MS) {
    const records = Array.from({ length: amount }, (_, n) => ({ key: `k${n % 1000}`, value: n, timestamp: due }));
    await client.publishAll(numbers, records);
    await at(due + EVERY_MS);
  }
  await client.close();
}

/** Reads what is published, with a step that maps and one that filters, and measures this process. */
export async function read({ from, name, path, port, reported, until }: Reader): Promise<Cost> {
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
  await at(from);
  const cpu = process.cpuUsage();
  const before = recordsOf(app);
  await at(until);
  const { system, user } = process.cpuUsage(cpu);
  const records = recordsOf(app) - before;
  await app.stop();
  await end?.();
  return { cpuMs: (system + user) / 1000, records };
}

const recordsOf = (app: App): number => app.snapshot().steps[0]?.recordsIn ?? 0;

function reportTo(app: App, reported: Reported): () => Promise<void> {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1000, exportTimeoutMillis: 900 });
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

/** Has the page open, and asks for the metrics every second, as long as the server is there. */
async function watch(port: number, until: number): Promise<void> {
  const read = (path: string): Promise<void> =>
    new Promise((resolve) => {
      get({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        response.resume();
        response.on('close', resolve);
      }).on('error', () => resolve());
    });
  const page = async (): Promise<void> => {
    while (Date.now() < until) {
      await read('/api/live');
      await setTimeout(50);
    }
  };
  const scrape = async (): Promise<void> => {
    for (; Date.now() < until; await setTimeout(1000)) await read('/metrics');
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
async function addedBy(reported: Reported, warmUpMs: number, ms: number): Promise<{ added: number; base: number }> {
  return withScratch(async (path) => {
    const client = await connect({ path });
    await client.topics.create(numbers);
    await client.close();
    const [from, port] = [Date.now() + warmUpMs, await freePort()];
    const reader = (name: string, what: Reported): Promise<Cost> =>
      inChild<Cost>(import.meta.url, 'read', { path, name, reported: what, port, from, until: from + ms });
    const [plain, more] = await Promise.all([
      reader('plain', 'nothing'),
      reader('more', reported),
      inChild(import.meta.url, 'feed', path, from + ms + 500),
      watch(port, from + ms),
    ]);
    const costs = [plain, more].map(({ cpuMs, records }) => {
      // A process that does not keep up is measured at another rate.
      if (records < (0.9 * RATE * ms) / 1000) throw new Error(`only ${records} records were read in ${ms} ms`);
      return (cpuMs * 1e6) / records;
    }) as [number, number];
    return { added: (costs[1] / costs[0] - 1) * 100, base: costs[0] };
  });
}

/** What it costs to be seen, at 200,000 records/s, in processor time. */
export async function run({ quick, runs = quick ? 1 : 7 }: BenchOptions): Promise<Row[]> {
  const times: readonly [warmUpMs: number, ms: number] = quick ? [3000, 2000] : [8000, 15_000];
  const base: number[] = [];
  const added: Record<'metrics' | 'traces' | 'nothing', number[]> = { nothing: [], metrics: [], traces: [] };
  for (let each = 0; each < runs; each += 1) {
    for (const reported of ['nothing', 'metrics', 'traces'] as const) {
      const found = await addedBy(reported, ...times);
      added[reported].push(found.added);
      base.push(found.base);
    }
  }
  const lower = { higherIsBetter: false };
  const name = 'telemetry at 200,000 records/s';
  return [
    rowOf(`${name}: an application without`, 'ns/record', base, lower),
    rowOf(`${name}: the same once more`, '% of its CPU', added.nothing, lower),
    rowOf(`${name}: dashboard, Prometheus, OpenTelemetry`, '% of its CPU', added.metrics, { ...lower, target: 2 }),
    rowOf(`${name}: the same with traces`, '% of its CPU', added.traces, lower),
  ];
}
