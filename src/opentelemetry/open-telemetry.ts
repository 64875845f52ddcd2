import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type Attributes,
  context as contexts,
  isSpanContextValid,
  type Link,
  type Meter,
  metrics,
  type ProxyTracerProvider,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type { App } from '../runtime/app/app-handle.ts';
import type { ChannelEvents, CommitEvent } from '../runtime/app/channels.ts';
import type { TracedRecord } from '../runtime/task/traced-records.ts';
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

const DURATION = 1000;

/**
 * Reports an application to OpenTelemetry: all of its metrics, under their own names and those of the messaging
 * conventions, and a span for each commit, linked to the traces of its records.
 *
 * It adds no counting or measuring: values are read when metrics are collected, and spans are made per commit. Two
 * applications in one process need different application ids.
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
  const attributes = (): AppAttributes => attributesOf(app);
  if (meter !== false) {
    ends.push(observeMetrics(app, meter, attributes));
    measure(durations(app, meter), attributes, listen);
  }
  if (tracer !== false) {
    const listenForSpans = (): void => listen('millrace:commit', (event) => spansOf(tracer, event, attributes()));
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

/** Attributes of the messaging conventions. For a log without a broker, the system is the name of this package. */
function attributesOf(app: App): AppAttributes {
  const { applicationId, kind } = app.snapshot();
  return {
    'messaging.system': kind === 'kafka' ? 'kafka' : 'millrace',
    'messaging.consumer.group.name': applicationId,
  };
}

type Listen = <N extends keyof ChannelEvents>(name: N, heard: (event: ChannelEvents[N]) => void) => void;

function measure(into: Durations, attributes: () => AppAttributes, listen: Listen): void {
  // Made once: turns and fetches are many.
  let made: ReturnType<typeof attributesOfEvents> | undefined;
  const known = (): ReturnType<typeof attributesOfEvents> => (made ??= attributesOfEvents(attributes()));
  listen('millrace:turns', ({ durationMs }) => {
    const { own, process } = known();
    into.turns.record(durationMs / DURATION, own);
    into.processing.record(durationMs / DURATION, process);
  });
  listen('millrace:fetch', ({ durationMs }) => {
    const { own, poll } = known();
    into.fetches.record(durationMs / DURATION, own);
    into.operations.record(durationMs / DURATION, poll);
  });
  listen('millrace:commit-time', (event) => {
    const { commit, own } = known();
    into.operations.record(
      event.durationMs / DURATION,
      event.error === undefined ? commit : { ...commit, 'error.type': errorType(event.error) },
    );
    if (event.error !== undefined) return;
    into.commits.record(event.durationMs / DURATION, own);
    for (const ms of event.recordToCommitMs) into.recordToCommit.record(ms / DURATION, own);
  });
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

/** Creates a span for processing the records of a commit, with a child span for the commit itself. */
function spansOf(tracer: Tracer, event: CommitEvent, of: AppAttributes): void {
  const { committingAt, durationMs, error, records, startedAt, topics, traced } = event;
  // Nothing was read: the commit only has the effects of time.
  if (topics.length === 0 && error === undefined) return;
  // There is no common name for several topics.
  const destination = topics.length === 1 ? { 'messaging.destination.name': topics[0] as string } : {};
  const name = topics.length === 1 ? ` ${topics[0]}` : '';
  const ended = committingAt + durationMs;
  const process = tracer.startSpan(
    `process${name}`,
    {
      kind: SpanKind.CONSUMER,
      startTime: startedAt,
      links: traced.flatMap(linkTo),
      attributes: {
        ...of,
        ...destination,
        'messaging.operation.name': 'process',
        'messaging.operation.type': 'process',
        'messaging.batch.message_count': records,
      },
    },
    ROOT_CONTEXT,
  );
  const commit = tracer.startSpan(
    `commit${name}`,
    {
      kind: SpanKind.CLIENT,
      startTime: committingAt,
      attributes: { ...of, ...destination, 'messaging.operation.name': 'commit', 'messaging.operation.type': 'settle' },
    },
    trace.setSpan(contexts.active(), process),
  );
  for (const span of [commit, process]) {
    if (error !== undefined) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.message : 'it has failed' });
      span.setAttribute('error.type', errorType(error));
    }
    span.end(ended);
  }
}

/** A link to the span in which a record was written, taken from its header. */
function linkTo({ offset, partition, topic, traceparent }: TracedRecord): readonly Link[] {
  const [, traceId, spanId, flags] = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return [];
  const context: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  if (!isSpanContextValid(context)) return [];
  return [
    {
      context,
      attributes: {
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.offset': offset,
      },
    },
  ];
}

const errorType = (error: unknown): string => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : error instanceof Error ? error.name : '_OTHER';
};
