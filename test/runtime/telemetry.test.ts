import { hasSubscribers, subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type Meter,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import {
  type App,
  agg,
  aggregate,
  bytes,
  type ChannelEvents,
  type Client,
  type CommitEvent,
  connect,
  deadLetter,
  filterValues,
  int32,
  joinTable,
  json,
  keyBy,
  MemoryLog,
  MillraceError,
  mapAsync,
  mapRecord,
  mapValues,
  memoryTransport,
  nullable,
  type OpenTransport,
  prometheusText,
  run,
  string,
  table,
  through,
  to,
  topic,
  tumbling,
  windowBy,
} from 'millrace';
import { openTelemetry, traceContext, traceHeaders } from 'millrace/opentelemetry';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const ids = (n: number): SpanContext => ({
  traceId: n.toString(16).padStart(32, '0'),
  spanId: n.toString(16).padStart(16, '0'),
  traceFlags: 1,
});
const traced = (n: number) => traceHeaders([], trace.setSpanContext(ROOT_CONTEXT, ids(n)));
const traceOf = (record: Parameters<typeof traceContext>[0]): string | undefined =>
  trace.getSpanContext(traceContext(record, ROOT_CONTEXT))?.traceId;

const numbers = topic('numbers', { key: string(), value: int32(), partitions: 2 });
const doubled = topic('doubled', { key: string(), value: int32(), partitions: 2 });
const doubling = numbers.pipe(
  mapValues((value) => value * 2),
  to(doubled),
);

let log: MemoryLog;
let client: Client;
const over: (() => unknown)[] = [];

beforeAll(() => void propagation.setGlobalPropagator(new W3CTraceContextPropagator()));
beforeEach(async () => {
  log = new MemoryLog();
  client = await connect({ transport: memoryTransport(log) });
});
afterEach(async () => {
  for (const end of over.splice(0).reverse()) await end();
  await client.close();
});

const start = (pipeline: Parameters<typeof run>[0], applicationId: string = 'app') =>
  run(pipeline, { applicationId, transport: memoryTransport(log), until: 'end', logger: false });

/** What is told on a channel until the test ends. */
function heard<N extends keyof ChannelEvents>(name: N): ChannelEvents[N][] {
  const events: ChannelEvents[N][] = [];
  const listener = (event: unknown): void => void events.push(event as ChannelEvents[N]);
  subscribe(name, listener);
  over.push(() => unsubscribe(name, listener));
  return events;
}

const publishThree = () =>
  client.publishAll(numbers, [
    { key: 'a', value: 1, timestamp: 1000, partition: 0, headers: traced(1) },
    { key: 'b', value: 2, timestamp: 2000, partition: 1, headers: [['other', null]] },
    { key: 'c', value: 3, timestamp: 3000, partition: 0, headers: traced(3) },
  ]);

describe('channels of node:diagnostics_channel', () => {
  it('tell of commits, with the records that belong to traces, each once', async () => {
    await publishThree();
    const commits = heard('millrace:commit');
    const states = heard('millrace:state');
    const fetches = heard('millrace:fetch');
    const turns = heard('millrace:turns');
    await start(doubling).done;
    expect(commits.reduce((sum, { records }) => sum + records, 0)).toBe(3);
    expect(new Set(commits.flatMap(({ topics }) => topics))).toEqual(new Set(['numbers']));
    expect(commits.flatMap(({ traced }) => traced).sort((a, b) => a.offset - b.offset)).toMatchObject([
      { topic: 'numbers', partition: 0, offset: 0, traceparent: `00-${ids(1).traceId}-${ids(1).spanId}-01` },
      { topic: 'numbers', partition: 0, offset: 1, traceparent: `00-${ids(3).traceId}-${ids(3).spanId}-01` },
    ]);
    const [first] = commits as [CommitEvent];
    expect(first).toMatchObject({ applicationId: 'app', kind: 'memory', error: undefined });
    expect(first.startedAt).toBeLessThanOrEqual(first.committingAt);
    expect(first.recordToCommitMs.every((ms) => ms > 0)).toBe(true);
    expect(states.map(({ state }) => state)).toEqual(['running', 'stopping', 'stopped']);
    expect(fetches.length).toBeGreaterThanOrEqual(2);
    expect(turns.length).toBeGreaterThanOrEqual(1);
  });

  it('tell of an application that fails, and why', async () => {
    await client.publish(numbers, { key: 'a', value: 1 });
    const states = heard('millrace:state');
    const pipeline = numbers.pipe(
      mapValues(() => {
        throw new Error('no');
      }),
      to(doubled),
    );
    await expect(start(pipeline).done).rejects.toThrow('no');
    expect(states.at(-1)).toMatchObject({ state: 'failed', error: { code: 'ERR_USER_CODE' } });
  });
});

it('measures how long it takes to get records', async () => {
  await publishThree();
  const app = start(doubling);
  await app.done;
  expect(app.snapshot().timings.fetches.count).toBeGreaterThanOrEqual(2);
  expect(prometheusText(app.metrics())).toMatch(/^millrace_fetch_duration_seconds_count\{application="app"\} [1-9]/m);
});

describe('the trace of a record', () => {
  it('goes with it through every step, up to the rows that it causes', async () => {
    const value = json<{ user: string }>();
    const clicks = topic('clicks', { value, partitions: 1 });
    const users = table('users', { key: string(), value: json<string>(), partitions: 1 });
    const outs = ['joined', 'counts', 'windows', 'closed', 'letters'].map((name) =>
      topic(name, { key: string(), value: json<unknown>(), partitions: 1 }),
    );
    const [joined, counts, windows, closed] = outs as [
      (typeof outs)[0],
      (typeof outs)[0],
      (typeof outs)[0],
      (typeof outs)[0],
    ];
    const byUser = clicks.pipe(
      filterValues(({ user }) => user !== 'bad' || true),
      mapAsync(async (click) => click, {}),
      mapRecord(({ timestamp, value: click }) => ({ key: null, value: click, timestamp })),
      keyBy(({ user }) => {
        if (user === 'bad') throw new Error('bad');
        return user;
      }),
      through(topic('by-user', { key: string(), value })),
    );
    const minute = tumbling({ size: '1m', grace: '0s' });
    const pipeline = [
      byUser.pipe(
        joinTable(users, ({ user }, name) => `${user} ${name}`, { type: 'left' }),
        to(joined),
      ),
      byUser.pipe(aggregate(agg.count(), { store: 'counts' }), to(counts)),
      byUser.pipe(windowBy(minute, agg.count(), { store: 'windows', emit: 'updates' }), to(windows)),
      byUser.pipe(windowBy(minute, agg.count(), { store: 'closed' }), to(closed)),
    ];
    await client.publishAll(clicks, [
      { value: { user: 'ada' }, timestamp: 1000, headers: traced(7) },
      { value: { user: 'bad' }, timestamp: 2000, headers: traced(8) },
      { value: { user: 'bob' }, timestamp: 90_000, headers: traced(9) },
    ]);
    await run(pipeline, {
      applicationId: 'clicks',
      transport: memoryTransport(log),
      until: 'end',
      logger: false,
      onRecordError: deadLetter('letters'),
    }).done;
    const lettersOf = async (): Promise<(string | undefined)[]> => {
      const found: (string | undefined)[] = [];
      await client
        .records(topic('letters', { key: nullable(bytes()), value: bytes() }), { from: 'earliest', until: 'end' })
        .forEach((record) => void found.push(traceOf(record)));
      return found;
    };
    const textKeys = async (name: string): Promise<(string | undefined)[]> => {
      const found: (string | undefined)[] = [];
      await client
        .records(topic(name, { key: string(), value: json<unknown>() }), { from: 'earliest', until: 'end' })
        .forEach((record) => void found.push(traceOf(record)));
      return found;
    };
    const [ada, bad, bob] = [7, 8, 9].map((n) => ids(n).traceId);
    for (const name of ['joined', 'counts', 'windows']) expect(await textKeys(name), name).toEqual([ada, bob]);
    // A row that a window emits when it closes is of many records: the commit that writes it is linked to them.
    expect(await textKeys('closed')).toEqual([undefined]);
    expect(await lettersOf()).toEqual([bad]);
  });

  it('replaces another one in headers that are given, and leaves the others', () => {
    const before = [...traced(1), ['kept', null] as const];
    const after = traceHeaders(before, trace.setSpanContext(ROOT_CONTEXT, ids(2)));
    expect(after.map(([name]) => name)).toEqual(['kept', 'traceparent']);
    expect(traceOf({ headers: after })).toBe(ids(2).traceId);
    expect(traceOf({ headers: [] })).toBeUndefined();
    expect(traceOf({ headers: [['traceparent', null]] })).toBeUndefined();
    expect(traceOf({ headers: [['traceparent', new TextEncoder().encode('nonsense')]] })).toBeUndefined();
  });
});

describe('openTelemetry', () => {
  async function collected(
    provider: MeterProvider,
    exporter: InMemoryMetricExporter,
  ): Promise<ReadonlyMap<string, MetricData>> {
    exporter.reset();
    await provider.forceFlush();
    const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics));
    return new Map(all.map((metric) => [metric.descriptor.name, metric]));
  }

  it('names no topic where records go to one of several, and a pattern as what it is', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    over.push(() => provider.shutdown());
    await publishThree();
    const odd = topic('odd', { key: string(), value: int32() });
    const even = topic('even', { key: string(), value: int32() });
    const matching = topic(/^num/, { key: string(), value: int32() });
    const app = start(matching.pipe(to(({ value }) => (value % 2 === 1 ? odd : even), { topics: [odd, even] })));
    const report = openTelemetry(app, { meter: provider.getMeter('test'), tracer: false });
    await app.done;
    const found = await collected(provider, exporter);
    const points = (name: string) =>
      found.get(name)?.dataPoints.map(({ attributes, value }) => ({ ...attributes, value }));
    const of = { 'messaging.system': 'millrace', 'messaging.consumer.group.name': 'app' };
    expect(points('messaging.client.consumed.messages')).toEqual([
      { ...of, 'messaging.operation.name': 'poll', 'messaging.destination.template': '/^num/', value: 3 },
    ]);
    expect(points('messaging.client.sent.messages')).toEqual([{ ...of, 'messaging.operation.name': 'send', value: 3 }]);
    report.close();
  });

  it('reports every metric, and those of the messaging conventions', async () => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    over.push(() => provider.shutdown());
    await publishThree();
    const app = start(doubling);
    const report = openTelemetry(app, { meter: provider.getMeter('test'), tracer: false });
    await app.done;
    const found = await collected(provider, exporter);
    // Nothing that Prometheus is told is missing, but what has no value now.
    const told = app.metrics().filter(({ samples }) => samples.length > 0);
    const missing = told
      .map(({ name }) => name.replace('millrace_', 'millrace.').replace(/_total$/, ''))
      .filter((name) => !found.has(name));
    expect(missing).toEqual([]);
    const points = (name: string) =>
      found.get(name)?.dataPoints.map(({ attributes, value }) => ({ ...attributes, value }));
    const of = { 'messaging.system': 'millrace', 'messaging.consumer.group.name': 'app' };
    expect(points('messaging.client.consumed.messages')).toEqual([
      { ...of, 'messaging.operation.name': 'poll', 'messaging.destination.name': 'numbers', value: 3 },
    ]);
    expect(points('messaging.client.sent.messages')).toEqual([
      { ...of, 'messaging.operation.name': 'send', 'messaging.destination.name': 'doubled', value: 3 },
    ]);
    expect(found.get('messaging.client.consumed.messages')?.descriptor.unit).toBe('{message}');
    // Prometheus takes a gauge of unit 1 for a ratio, and calls it so: the alerts would not know it.
    const ratios = [...found.values()].filter(({ descriptor }) => descriptor.unit === '1');
    expect(ratios.map(({ descriptor }) => descriptor.name)).toEqual([]);
    expect(found.get('millrace.uptime_seconds')?.descriptor.unit).toBe('s');
    expect(points('messaging.client.operation.duration')).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ ...of, 'messaging.operation.name': 'commit', 'messaging.operation.type': 'settle' }),
        expect.objectContaining({ ...of, 'messaging.operation.name': 'poll', 'messaging.operation.type': 'receive' }),
      ]) as object,
    );
    expect(points('messaging.process.duration')).toMatchObject([{ ...of, 'messaging.operation.name': 'process' }]);
    const { timings } = app.snapshot();
    expect(points('millrace.commit_duration_seconds')).toMatchObject([
      { application: 'app', value: { count: timings.commits.count } },
    ]);
    expect(points('millrace.record_to_commit_seconds')).toMatchObject([
      {
        value: {
          count: timings.recordToCommit.count,
          buckets: { boundaries: timings.commits.buckets.map(({ upToMs }) => upToMs / 1000) },
        },
      },
    ]);
    // Nobody makes spans, so nobody looks at the headers of records.
    expect(hasSubscribers('millrace:commit')).toBe(false);
    report.close();
    expect(
      ['millrace:commit-time', 'millrace:commit', 'millrace:fetch', 'millrace:turns'].filter((name) =>
        hasSubscribers(name),
      ),
    ).toEqual([]);
  });

  it('passes durations on when metrics are collected, and the rest when it is closed', async () => {
    const recorded = new Map<string, number>();
    const reader = new PeriodicExportingMetricReader({
      exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
      exportIntervalMillis: 3_600_000,
    });
    const provider = new MeterProvider({ readers: [reader] });
    over.push(() => provider.shutdown());
    const real = provider.getMeter('test');
    const meter: Meter = Object.assign(Object.create(real) as Meter, {
      createHistogram: (...given: Parameters<Meter['createHistogram']>) => {
        const histogram = real.createHistogram(...given);
        const record: typeof histogram.record = (...values) => {
          recorded.set(given[0], (recorded.get(given[0]) ?? 0) + 1);
          histogram.record(...values);
        };
        return { record };
      },
    });
    await publishThree();
    const app = run(doubling, { applicationId: 'app', transport: memoryTransport(log), logger: false });
    over.push(() => app.stop());
    const report = openTelemetry(app, { meter, tracer: false });
    over.push(() => report.close());
    await expect.poll(() => app.snapshot().timings.recordToCommit.count).toBe(2);
    expect(recorded.size).toBe(0);
    await reader.forceFlush();
    expect(recorded.get('millrace.record_to_commit_seconds')).toBe(2);
    await client.publish(numbers, { key: 'd', value: 4 });
    await expect.poll(() => app.snapshot().timings.recordToCommit.count).toBe(3);
    expect(recorded.get('millrace.record_to_commit_seconds')).toBe(2);
    await app.stop();
    report.close();
    const { commits, fetches, recordToCommit, turns } = app.snapshot().timings;
    expect(Object.fromEntries(recorded)).toEqual({
      'millrace.turn_duration_seconds': turns.count,
      'messaging.process.duration': turns.count,
      'millrace.fetch_duration_seconds': fetches.count,
      'millrace.commit_duration_seconds': commits.count,
      'messaging.client.operation.duration': fetches.count + commits.count,
      'millrace.record_to_commit_seconds': recordToCommit.count,
    });
  });

  it('links a span to as many traces as an SDK keeps, of all partitions', async () => {
    const exporter = new InMemorySpanExporter();
    const spanLimits = { linkCountLimit: 1000 };
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)], spanLimits });
    over.push(() => provider.shutdown());
    const records = Array.from({ length: 400 }, (_, n) => {
      return { key: 'a', value: n, partition: n % 2, headers: traced(n + 1) };
    });
    await client.publishAll(numbers, records);
    const app = start(doubling);
    const report = openTelemetry(app, { meter: false, tracer: provider.getTracer('test') });
    over.push(() => report.close());
    await app.done;
    const links = exporter.getFinishedSpans().flatMap((span) => (span.name === 'process numbers' ? span.links : []));
    const partitions = links.map(({ attributes }) => attributes?.['messaging.destination.partition.id']);
    expect(partitions.filter((partition) => partition === '0')).toHaveLength(64);
    expect(partitions.filter((partition) => partition === '1')).toHaveLength(64);
  });

  it('asks for no snapshot with every commit', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    over.push(() => provider.shutdown());
    const app = run(doubling, { applicationId: 'app', transport: memoryTransport(log), logger: false });
    over.push(() => app.stop());
    let snapshots = 0;
    const watched: App = Object.assign(Object.create(app) as App, {
      snapshot: () => ((snapshots += 1), app.snapshot()),
    });
    const report = openTelemetry(watched, { meter: false, tracer: provider.getTracer('test') });
    over.push(() => report.close());
    const processed = () => exporter.getFinishedSpans().filter(({ name }) => name === 'process numbers').length;
    await publishThree();
    await expect.poll(processed).toBeGreaterThan(0);
    const before = { processed: processed(), snapshots };
    await publishThree();
    await expect.poll(processed).toBeGreaterThan(before.processed);
    expect(snapshots).toBe(before.snapshots);
  });

  it('makes a span for the records of a commit, linked to their traces, and one for the commit in it', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    over.push(() => provider.shutdown());
    await publishThree();
    const app = start(doubling);
    const report = openTelemetry(app, { meter: false, tracer: provider.getTracer('test') });
    const other = start(numbers.pipe(to(topic('copies', { key: string(), value: int32() }))), 'other');
    await Promise.all([app.done, other.done]);
    report.close();
    const spans = exporter.getFinishedSpans();
    const processed = spans.filter(({ name }) => name === 'process numbers');
    expect(processed.every((span) => Number(span.attributes['messaging.batch.message_count']) > 0)).toBe(true);
    expect(processed.reduce((sum, span) => sum + Number(span.attributes['messaging.batch.message_count']), 0)).toBe(3);
    expect(processed.flatMap(({ links }) => links.map(({ context }) => context.traceId)).sort()).toEqual([
      ids(1).traceId,
      ids(3).traceId,
    ]);
    const [span] = processed;
    expect(span).toMatchObject({
      kind: SpanKind.CONSUMER,
      attributes: {
        'messaging.system': 'millrace',
        'messaging.consumer.group.name': 'app',
        'messaging.operation.type': 'process',
      },
    });
    const commit = spans.find(({ parentSpanContext }) => parentSpanContext?.spanId === span?.spanContext().spanId);
    expect(commit).toMatchObject({ name: 'commit numbers', kind: SpanKind.CLIENT });
    // Another application of the process is its own.
    expect(spans.every(({ attributes }) => attributes['messaging.consumer.group.name'] === 'app')).toBe(true);
  });

  it('looks at headers for traces only when the process has a tracer', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    over.push(() => provider.shutdown());
    await publishThree();
    const app = run(doubling, { applicationId: 'app', transport: memoryTransport(log), logger: false });
    over.push(() => app.stop());
    const report = openTelemetry(app, { meter: false });
    await expect.poll(() => app.snapshot().timings.commits.count).toBeGreaterThan(0);
    expect(hasSubscribers('millrace:commit')).toBe(false);
    trace.setGlobalTracerProvider(provider);
    over.push(() => trace.disable());
    const processed = () => exporter.getFinishedSpans().filter(({ name }) => name === 'process numbers');
    await expect
      .poll(async () => {
        await publishThree();
        return processed().length;
      })
      .toBeGreaterThan(0);
    expect(hasSubscribers('millrace:commit')).toBe(true);
    report.close();
    expect(['millrace:commit-time', 'millrace:commit'].filter((name) => hasSubscribers(name))).toEqual([]);
  });

  it('marks a commit that failed', async () => {
    const exporter = new InMemorySpanExporter();
    const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
    over.push(() => provider.shutdown());
    await publishThree();
    const app = run(doubling, { applicationId: 'app', transport: failingOnce(log), until: 'end', logger: false });
    const report = openTelemetry(app, { meter: false, tracer: provider.getTracer('test') });
    await app.done;
    report.close();
    const failed = exporter.getFinishedSpans().filter(({ status }) => status.code === SpanStatusCode.ERROR);
    expect(failed.map(({ name }) => name)).toEqual(['commit numbers', 'process numbers']);
    expect(failed[0]?.attributes['error.type']).toBe('ERR_TEST');
    // What was done again is told again, and the records were read once for each time.
    expect(
      exporter.getFinishedSpans().filter(({ status }) => status.code !== SpanStatusCode.ERROR).length,
    ).toBeGreaterThanOrEqual(2);
  });
});

/** A log whose first commit with offsets fails. */
function failingOnce(of: MemoryLog): OpenTransport {
  let failed = false;
  return async (progress) => {
    const transport = await memoryTransport(of)(progress);
    type Session = Awaited<ReturnType<typeof transport.group>>;
    const failing = <S extends object>(session: S): S =>
      new Proxy(session, {
        get: (target, name) => {
          const own: unknown = Reflect.get(target, name);
          if (name !== 'commit') return typeof own === 'function' ? (own.bind(target) as unknown) : own;
          return async (unit: Parameters<Session['commit']>[0]) => {
            if (!failed && unit.offsets.some(({ offset }) => offset > 0)) {
              failed = true;
              throw new MillraceError('retriable', 'ERR_TEST', 'not now');
            }
            return (target as unknown as Session).commit(unit);
          };
        },
      });
    return new Proxy(transport, {
      get: (target, name) => {
        const own: unknown = Reflect.get(target, name);
        if (name !== 'group') return typeof own === 'function' ? (own.bind(target) as unknown) : own;
        return async (options: Parameters<typeof transport.group>[0]) =>
          failing(
            await target.group({
              ...options,
              onAssigned: (ids, generation, session) => options.onAssigned(ids, generation, failing(session)),
            }),
          );
      },
    });
  };
}
