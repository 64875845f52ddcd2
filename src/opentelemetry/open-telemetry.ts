import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type Attributes,
  type Meter,
  metrics,
  type ProxyTracerProvider,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { App } from '../runtime/app/app-handle.ts';
import type { ChannelEvents } from '../runtime/app/channels.ts';
import { CommitSpans, errorType } from './commit-spans.ts';
import { GatheredCommits } from './gathered-commits.ts';
import { HeldDurations } from './held-durations.ts';
import { type AppAttributes, type Durations, durations, observeMetrics } from './instruments.ts';

/** The meter and tracer that report an application. @public */
export interface OpenTelemetryOptions {
  /** Default: `metrics.getMeter('millrace')`. `false`: no metrics. */
  readonly meter?: Meter | false;
  /** Default: `trace.getTracer('millrace')`. `false`: no spans. */
  readonly tracer?: Tracer | false;
}

/** The reporting of an application. @public */
export interface OpenTelemetryReport {
  /** Ends the reporting. It does not end with the application, so that the last values can still be collected. */
  close(): void;
}

/**
 * Reports an application to OpenTelemetry: all of its metrics, under their own names and those of the messaging
 * conventions, and spans of its commits, linked to the traces of its records.
 *
 * It adds no counting or measuring: values are read when metrics are collected, and spans are made per commit. Commits
 * that follow each other within 250 ms share their spans. Two applications in one process need different application ids.
 *
 * @param app - The application that `run` returned.
 * @param options - A meter and a tracer to use instead of the global ones.
 *
 * @example
 * ```ts
 * import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
 * import { connect, memoryTransport, MemoryLog, run, string, to, topic } from 'millrace';
 * import { openTelemetry } from 'millrace/opentelemetry';
 *
 * const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
 * const provider = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] });
 *
 * const log = new MemoryLog();
 * const lines = topic('lines', { value: string(), partitions: 1 });
 * const client = await connect({ transport: memoryTransport(log) });
 * await client.publish(lines, { value: 'a' });
 * const app = run(lines.pipe(to(topic('copies', { value: string() }))), {
 *   applicationId: 'copier',
 *   transport: memoryTransport(log),
 *   until: 'end',
 * });
 * const report = openTelemetry(app, { meter: provider.getMeter('example') });
 * await app.done;
 * await provider.forceFlush();
 * const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
 * console.log(all.find(({ descriptor }) => descriptor.name === 'messaging.client.sent.messages')?.dataPoints[0]?.value); // => 1
 * report.close();
 * await provider.shutdown();
 * await client.close();
 * ```
 * @public
 */
export function openTelemetry(app: App, options: OpenTelemetryOptions = {}): OpenTelemetryReport {
  const { meter = metrics.getMeter('millrace'), tracer = trace.getTracer('millrace') } = options;
  const { applicationId } = app.snapshot();
  const ends: (() => void)[] = [];
  const listen = <N extends keyof ChannelEvents>(name: N, heard: (event: ChannelEvents[N]) => void): void => {
    const listener = (message: unknown): void => {
      const event = message as ChannelEvents[N];
      if (event.applicationId === applicationId) heard(event);
    };
    subscribe(name, listener);
    ends.push(() => void unsubscribe(name, listener));
  };
  const attributes = attributesOf(app);
  if (meter !== false) {
    const flush = measure(durations(app, meter), attributes, listen);
    ends.push(flush, observeMetrics(app, meter, attributes, flush));
  }
  if (tracer !== false) {
    const spans = new CommitSpans(tracer, attributes);
    const commits = new GatheredCommits((commit) => spans.add(commit));
    const listenForSpans = (): void => {
      listen('millrace:commit', (event) => commits.add(event));
      // A provider may be shut down as soon as the application is done.
      listen('millrace:state', ({ state }) => state !== 'running' && commits.flush());
    };
    ends.push(commits.flush);
    if (options.tracer !== undefined || hasTracer()) listenForSpans();
    else ends.push(whenThereIs(hasTracer, listenForSpans, listen));
  }
  return {
    close: () => {
      for (const end of ends.splice(0)) end();
    },
  };
}

/** Whether the process has a tracer: until one is registered the one that is there makes no spans. */
function hasTracer(): boolean {
  const provider: TracerProvider & Partial<ProxyTracerProvider> = trace.getTracerProvider();
  return provider.getDelegateTracer === undefined || provider.getDelegateTracer('millrace') !== undefined;
}

/** Looks at each commit whether something is there, until it is. Headers of records are not looked at for nobody. */
function whenThereIs(isThere: () => boolean, then: () => void, listen: Listen): () => void {
  let done = false;
  listen('millrace:commit-time', () => {
    if (done || !isThere()) return;
    done = true;
    then();
  });
  return () => void (done = true);
}

/**
 * Attributes of the messaging conventions. For a log without a broker, the system is the name of this package. They are
 * made once the kind of the log is known: a snapshot is as large as the application.
 */
function attributesOf(app: App): () => AppAttributes {
  let known: AppAttributes | undefined;
  return () => {
    if (known !== undefined) return known;
    const { applicationId, kind } = app.snapshot();
    const made: AppAttributes = {
      'messaging.system': kind === 'kafka' ? 'kafka' : 'millrace',
      'messaging.consumer.group.name': applicationId,
    };
    if (kind !== 'unknown') known = made;
    return made;
  };
}

type Listen = <N extends keyof ChannelEvents>(name: N, heard: (event: ChannelEvents[N]) => void) => void;

/**
 * Passes durations on to histograms.
 *
 * @returns a function that passes on the ones that are still held.
 */
function measure(into: Durations, attributes: () => AppAttributes, listen: Listen): () => void {
  // Made once: turns and fetches are many.
  let made: ReturnType<typeof attributesOfEvents> | undefined;
  const known = (): ReturnType<typeof attributesOfEvents> => (made ??= attributesOfEvents(attributes()));
  const turns = new HeldDurations((seconds) => {
    into.turns.record(seconds, known().own);
    into.processing.record(seconds, known().process);
  });
  const fetches = new HeldDurations((seconds) => {
    into.fetches.record(seconds, known().own);
    into.operations.record(seconds, known().poll);
  });
  const commits = new HeldDurations((seconds) => {
    into.commits.record(seconds, known().own);
    into.operations.record(seconds, known().commit);
  });
  const recordToCommit = new HeldDurations((seconds) => into.recordToCommit.record(seconds, known().own));
  listen('millrace:turns', ({ durationMs }) => turns.add(durationMs));
  listen('millrace:fetch', ({ durationMs }) => fetches.add(durationMs));
  listen('millrace:commit-time', ({ durationMs, error, recordToCommitMs }) => {
    if (error === undefined) {
      commits.add(durationMs);
      for (const ms of recordToCommitMs) recordToCommit.add(ms);
    } else into.operations.record(durationMs / 1000, { ...known().commit, 'error.type': errorType(error) });
  });
  return () => {
    for (const held of [turns, fetches, commits, recordToCommit]) held.flush();
  };
}

function attributesOfEvents(of: AppAttributes) {
  const operation = (name: string, type?: string): Attributes => ({
    ...of,
    'messaging.operation.name': name,
    ...(type === undefined ? {} : { 'messaging.operation.type': type }),
  });
  return {
    own: { application: of['messaging.consumer.group.name'] },
    process: operation('process'),
    poll: operation('poll', 'receive'),
    commit: operation('commit', 'settle'),
  };
}
